//! Feeds of others: bytes to items, whose items they are, when to ask again. Pure.
