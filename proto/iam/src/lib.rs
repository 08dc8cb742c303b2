//! AWS documents as values.
