"""Decodes an answer in the coding dcz (RFC 9842, section 5) from standard input; the argument is the dictionary's file."""

import hashlib
import sys

import zstandard

MAGIC = bytes([0x5E, 0x2A, 0x4D, 0x18, 0x20, 0, 0, 0])
# What every client must bear; section 5 allows more where the dictionary is larger.
WINDOW = 8 * 1024 * 1024

with open(sys.argv[1], "rb") as file:
    dictionary = file.read()
answer = sys.stdin.buffer.read()
magic, digest, frame = answer[:8], answer[8:40], answer[40:]
if magic != MAGIC:
    sys.exit(f"the answer begins with {magic.hex()}")
if digest != hashlib.sha256(dictionary).digest():
    sys.exit(f"the answer is for the dictionary {digest.hex()}")
parameters = zstandard.get_frame_parameters(frame)
if parameters.window_size > WINDOW:
    sys.exit(f"the window has {parameters.window_size} bytes")
raw = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
sys.stdout.buffer.write(zstandard.ZstdDecompressor(dict_data=raw).decompress(frame))
