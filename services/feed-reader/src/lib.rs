//! Reads upstream feeds and sends what is new to the publisher.
