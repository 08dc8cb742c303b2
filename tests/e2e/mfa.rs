//! Codes and passphrases that are wrong, late, used already or not to be had.
