//! The pages a reader sees: subscribe, confirm, unsubscribe.
