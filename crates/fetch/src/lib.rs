//! Foreign URLs over HTTP, through the SSRF guard, bounded in time and bytes.
