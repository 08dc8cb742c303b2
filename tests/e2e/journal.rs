//! The journal on a full or read-only disk, torn by a crash, or changed by hand.
