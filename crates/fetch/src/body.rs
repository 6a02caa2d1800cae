//! A body as it arrives: decoded piece by piece, never larger than its bounds.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::FetchError;

/// Collects a body. It keeps what is decoded only; of a bomb no more than the bound is ever in memory.
pub(crate) struct Collector {
    coding: Coding,
    received: usize,
    max_received: usize,
}

enum Coding {
    Identity(Sink),
    Gzip(MultiGzDecoder<Sink>),
    /// Not known yet which of the two kinds of deflate it is: that shows in its first two bytes.
    Deflate(Vec<u8>, usize),
    Zlib(ZlibDecoder<Sink>),
    Raw(DeflateDecoder<Sink>),
}

/// Decoded bytes, up to a limit.
struct Sink {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Collector {
    /// For a body whose `Content-Encoding` is `encoding`.
    pub(crate) fn new(encoding: &str, max_received: usize, max_decoded: usize) -> Result<Self, FetchError> {
        let sink = Sink { bytes: Vec::new(), limit: max_decoded };
        let coding = match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Coding::Identity(sink),
            "gzip" | "x-gzip" => Coding::Gzip(MultiGzDecoder::new(sink)),
            "deflate" => Coding::Deflate(Vec::new(), max_decoded),
            other => return Err(FetchError::Encoding(other.chars().take(64).collect())),
        };
        Ok(Self { coding, received: 0, max_received })
    }

    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), FetchError> {
        self.received += piece.len();
        if self.received > self.max_received {
            return Err(FetchError::TooLarge(self.max_received));
        }
        let held;
        let mut piece = piece;
        if let Coding::Deflate(start, limit) = &mut self.coding {
            start.extend_from_slice(piece);
            let [first, second, ..] = start[..] else { return Ok(()) };
            let sink = Sink { bytes: Vec::new(), limit: *limit };
            held = std::mem::take(start);
            piece = &held;
            // RFC 9110 means zlib by it (RFC 1950, section 2.2); some servers send the bare stream.
            let is_zlib = first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31);
            self.coding =
                if is_zlib { Coding::Zlib(ZlibDecoder::new(sink)) } else { Coding::Raw(DeflateDecoder::new(sink)) };
        }
        let written = match &mut self.coding {
            Coding::Identity(sink) => sink.write_all(piece),
            Coding::Gzip(decoder) => decoder.write_all(piece),
            Coding::Zlib(decoder) => decoder.write_all(piece),
            Coding::Raw(decoder) => decoder.write_all(piece),
            Coding::Deflate(..) => Ok(()),
        };
        written.map_err(|error| self.failed(&error))
    }

    /// The whole body.
    pub(crate) fn finish(mut self) -> Result<Bytes, FetchError> {
        let finished = match &mut self.coding {
            Coding::Identity(_) => Ok(()),
            // Without a byte there is nothing to end: a 304 or an empty answer may carry the header all the same.
            _ if self.received == 0 => return Ok(Bytes::new()),
            Coding::Gzip(decoder) => decoder.try_finish(),
            Coding::Zlib(decoder) => decoder.try_finish(),
            Coding::Raw(decoder) => decoder.try_finish(),
            Coding::Deflate(..) => Err(io::ErrorKind::UnexpectedEof.into()),
        };
        finished.map_err(|error| self.failed(&error))?;
        let bytes = match &mut self.coding {
            Coding::Identity(sink) => std::mem::take(&mut sink.bytes),
            Coding::Gzip(decoder) => std::mem::take(&mut decoder.get_mut().bytes),
            Coding::Zlib(decoder) => std::mem::take(&mut decoder.get_mut().bytes),
            Coding::Raw(decoder) => std::mem::take(&mut decoder.get_mut().bytes),
            Coding::Deflate(..) => Vec::new(),
        };
        Ok(bytes.into())
    }

    fn failed(&self, error: &io::Error) -> FetchError {
        let (coding, limit) = match &self.coding {
            // What is not encoded fails by its size alone.
            Coding::Identity(sink) => return FetchError::TooLarge(sink.limit),
            Coding::Gzip(decoder) => ("gzip", decoder.get_ref().limit),
            Coding::Zlib(decoder) => ("deflate", decoder.get_ref().limit),
            Coding::Raw(decoder) => ("deflate", decoder.get_ref().limit),
            Coding::Deflate(_, limit) => ("deflate", *limit),
        };
        match error.kind() {
            io::ErrorKind::FileTooLarge => FetchError::Bomb { sent: self.received, limit },
            _ => FetchError::Garbled(coding),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn encoded(how: &str, body: &[u8]) -> Vec<u8> {
        let level = Compression::best();
        match how {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(body).unwrap();
                encoder.finish().unwrap()
            }
            "zlib" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(body).unwrap();
                encoder.finish().unwrap()
            }
            "raw" => {
                let mut encoder = DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(body).unwrap();
                encoder.finish().unwrap()
            }
            _ => body.to_vec(),
        }
    }

    fn collect(coding: &str, body: &[u8], piece: usize, limit: usize) -> Result<Bytes, FetchError> {
        let mut collector = Collector::new(coding, 1 << 20, limit)?;
        for piece in body.chunks(piece) {
            collector.take(piece)?;
        }
        collector.finish()
    }

    #[test]
    fn every_coding_is_read_in_pieces_of_any_size() {
        let body = "新闻 <rss/> ".repeat(500);
        for (how, coding) in
            [("", ""), ("", "identity"), ("gzip", "GZIP"), ("gzip", "x-gzip"), ("zlib", "deflate"), ("raw", "deflate")]
        {
            let sent = encoded(how, body.as_bytes());
            for piece in [1, 2, 7, 100_000] {
                assert_eq!(collect(coding, &sent, piece, body.len()), Ok(body.clone().into()), "{how} {piece}");
            }
        }
        let two = [encoded("gzip", b"one "), encoded("gzip", b"two")].concat();
        assert_eq!(collect("gzip", &two, 3, 100), Ok("one two".into()));
        assert_eq!(collect("gzip", b"", 1, 100), Ok(Bytes::new()), "a 304 may name a coding");
    }

    #[test]
    fn a_bomb_stops_at_the_bound_and_a_flood_at_its_own() {
        for (how, coding) in [("gzip", "gzip"), ("zlib", "deflate"), ("raw", "deflate")] {
            let bomb = encoded(how, &vec![0; 10 << 20]);
            assert!(bomb.len() < 20_000);
            let error = collect(coding, &bomb, 4096, 100_000).unwrap_err();
            assert!(matches!(error, FetchError::Bomb { sent: 1.., limit: 100_000 }), "{how}: {error:?}");
        }
        assert_eq!(collect("", &[b'a'; 101], 10, 100), Err(FetchError::TooLarge(100)));
        let mut collector = Collector::new("gzip", 10, 1 << 20).unwrap();
        assert_eq!(collector.take(&[0; 11]), Err(FetchError::TooLarge(10)));
    }

    #[test]
    fn what_is_not_what_it_says_is_an_error_and_no_half_of_it_is_used() {
        let text = "text ".repeat(1000);
        let [whole, zlib, raw] = ["gzip", "zlib", "raw"].map(|how| encoded(how, text.as_bytes()));
        for (coding, body) in [
            ("gzip", &whole[..whole.len() / 2]),
            ("gzip", &whole[..whole.len() - 3]),
            ("gzip", b"<rss></rss>"),
            ("deflate", &zlib[..zlib.len() / 2]),
            ("deflate", &raw[..raw.len() / 2]),
            ("deflate", b"x"),
            ("deflate", b"\x78\x9cnonsense"),
        ] {
            let error = collect(coding, body, 5, 1 << 20).unwrap_err();
            assert!(matches!(error, FetchError::Garbled(_)), "{coding}: {error:?}");
        }
        for coding in ["br", "zstd", "gzip, gzip", "新"] {
            assert!(matches!(Collector::new(coding, 1, 1), Err(FetchError::Encoding(_))), "{coding}");
        }
    }
}
