//! Tests of the module above.
#![allow(clippy::unwrap_used)]
