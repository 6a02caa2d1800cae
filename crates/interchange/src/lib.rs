//! Other people's shapes of an article, in and out. Pure.
