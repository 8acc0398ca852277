"""Signs what a darkpool venue takes, with nothing but the package `cryptography`.

    python3 examples/signing.py address KEYFILE             the account of a secret key (S…)
    python3 examples/signing.py sign KEYFILE                reads a message, writes the request that carries it
    python3 examples/signing.py login KEYFILE               reads a SEP-10 challenge, writes it signed
    python3 examples/signing.py check messages.examples.json   does it agree with the test vectors?
"""

import base64
import binascii
import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ACCOUNT, SEED = 6 << 3, 18 << 3


def canonical(message):
    """RFC 8785 of an object whose members are all strings."""
    return json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(message):
    """SEP-53. In hex it is the id of the message."""
    return hashlib.sha256(b"Stellar Signed Message:\n" + canonical(message)).digest()


def sign(message, key):
    return base64.b64encode(key.sign(digest(message))).decode()


def spelled(version, raw):
    """The spelling that Stellar has for keys: a version, 32 bytes, a checksum."""
    body = bytes([version]) + raw
    return base64.b32encode(body + struct.pack("<H", binascii.crc_hqx(body, 0))).decode()


def address(key):
    return spelled(ACCOUNT, key.public_key().public_bytes_raw())


def read_key(secret):
    raw = base64.b32decode(secret)[1:33]
    if spelled(SEED, raw) != secret:
        raise ValueError("that is no Stellar secret key (S…)")
    return Ed25519PrivateKey.from_private_bytes(raw)


def sign_challenge(envelope, passphrase, key):
    """A SEP-10 challenge (base64 XDR) with our signature behind the venue's."""
    raw = base64.b64decode(envelope)
    transaction, theirs = raw[4:-76], raw[-72:]
    if raw[:4] != b"\0\0\0\2" or raw[-76:-72] != b"\0\0\0\1" or transaction[40:48] != bytes(8):
        raise ValueError("that is no challenge: a transaction with the sequence number 0, signed once, can never be valid")
    hashed = hashlib.sha256(hashlib.sha256(passphrase.encode()).digest() + b"\0\0\0\2" + transaction).digest()
    hint = key.public_key().public_bytes_raw()[-4:]
    ours = hint + struct.pack(">I", 64) + key.sign(hashed)
    return base64.b64encode(raw[:4] + transaction + struct.pack(">I", 2) + theirs + ours).decode()


def check(vectors):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vectors["seedHex"]))
    if address(key) != vectors["account"]:
        raise SystemExit("another address")
    for example in vectors["examples"]:
        message = example["message"]
        ours = (canonical(message).decode(), digest(message).hex(), sign(message, key))
        if ours != (example["canonical"], example["digest"], example["signature"]):
            raise SystemExit(f"another spelling, id or signature of {example['action']}")
    return f"{len(vectors['examples'])} examples agree"


def main(command, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if command == "check":
        return check(json.loads(text))
    key = read_key(text.strip())
    if command == "address":
        return address(key)
    asked = json.load(sys.stdin)
    if command == "login":
        return json.dumps({"transaction": sign_challenge(asked["transaction"], asked["network_passphrase"], key)})
    own = {} if asked["account"] == address(key) else {"signer": address(key)}
    return json.dumps({"message": asked, "signature": sign(asked, key), **own})


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("address", "sign", "login", "check"):
        raise SystemExit(__doc__)
    print(main(sys.argv[1], sys.argv[2]))
