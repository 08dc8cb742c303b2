//! Values for tests.
