//! Killed at any moment: what was handed out is recorded, and the next call works.
