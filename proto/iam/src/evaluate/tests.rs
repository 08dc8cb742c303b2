//! Tests of the evaluator.
#![allow(clippy::unwrap_used)]
