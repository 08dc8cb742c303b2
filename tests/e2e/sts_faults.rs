//! Every way in which STS can fail a caller: the right code, one record, and recovery without a restart.
