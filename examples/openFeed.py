"""Opens sealed messages of an account's feed: each line of the input is one, in base64, each line of the output its text.

    pip install cryptography
    python3 examples/openFeed.py VENUE ACCOUNT feed-key.json < sealed

feed-key.json is what GET /api/v1/feed-key answered. Ends with 1 at the first message that is not what was sealed for the account.
"""

import base64
import json
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def open_feed(venue, account, keys, data):  # keys: {version: 32 bytes}
    form, version, salt, seq = struct.unpack(">BI16sQ", data[:29])
    info = f"darkpool feed\0{venue}\0{account}\0".encode()
    key = HKDF(hashes.SHA256(), 32, salt, info).derive(keys[version])
    return json.loads(AESGCM(key).decrypt(bytes(4) + data[21:29], data[29:], data[:29] + info))


def main(venue, account, path):
    with open(path, encoding="utf8") as file:
        keys = {one["version"]: base64.b64decode(one["key"]) for one in json.load(file)["keys"]}
    for line in sys.stdin:
        try:
            message = open_feed(venue, account, keys, base64.b64decode(line))
        except (InvalidTag, KeyError, struct.error):
            sys.exit("not what was sealed for this account, or a key is missing")
        print(json.dumps(message), flush=True)


main(*sys.argv[1:])
