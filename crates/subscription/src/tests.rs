//! What holds whatever is written.
