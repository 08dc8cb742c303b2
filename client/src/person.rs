//! Asking the one who sits at the terminal.
