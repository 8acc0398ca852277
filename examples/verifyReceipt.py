"""Checks a receipt against a root of the chain, with Python's own library and nothing else.

    python3 verifyReceipt.py receipt.json ROOT      ROOT: trades_root of the vault's settle_batch event, 64 hex digits
"""

import json
import sys
from datetime import datetime, timezone
from decimal import Decimal
from hashlib import sha256


def text(value):
    encoded = value.encode()
    return bytes([len(encoded)]) + encoded


def units(value, decimals):
    scaled = Decimal(value).scaleb(decimals)
    if scaled != int(scaled):
        raise ValueError("more digits than the asset has")
    return int(scaled)


def amount(value, decimals):
    return units(value, decimals).to_bytes(16, "big")


def leaf(r):
    base, quote = r["assets"]["base"], r["assets"]["quote"]
    received = base if r["side"] == "buy" else quote
    moment = datetime.fromisoformat(r["time"].replace("Z", "+00:00")) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    milliseconds = moment.days * 86_400_000 + moment.seconds * 1_000 + moment.microseconds // 1_000
    return sha256(
        b"\x00"
        + text("darkpool.receipt.1")
        + bytes.fromhex(r["salt"])
        + r["channel"].to_bytes(4, "big")
        + r["sequence"].to_bytes(8, "big")
        + text(r["trade"])
        + text(r["market"])
        + (b"\x00" if r["side"] == "buy" else b"\x01")
        + text(r["account"])
        + bytes.fromhex(r["order"])
        + text(base["contract"])
        + bytes([base["decimals"]])
        + text(quote["contract"])
        + bytes([quote["decimals"]])
        + amount(r["quantity"], base["decimals"])
        + amount(r["quote"], quote["decimals"])
        + amount(r["fee"], received["decimals"])
        + milliseconds.to_bytes(8, "big")
        + bytes.fromhex(r["journal"])
    ).digest()


def root(r):
    node, at, last = leaf(r), r["index"], r["size"] - 1
    for sibling in map(bytes.fromhex, r["path"]):
        if last == 0:
            raise ValueError("the path is too long")
        if at % 2 == 1 or at == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while at % 2 == 0 and at != 0:  # the last node of a level without a sibling moved up as it was
                at, last = at // 2, last // 2
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        at, last = at // 2, last // 2
    if last != 0:
        raise ValueError("the path is too short")
    return node.hex()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        receipt = json.load(file)
    if Decimal(receipt["price"]) * Decimal(receipt["quantity"]) != Decimal(receipt["quote"]):
        sys.exit("NOT PROVED: price times quantity is not what was paid")
    if root(receipt) != sys.argv[2]:
        sys.exit("NOT PROVED: not under this root")
    print("PROVED")


if __name__ == "__main__":
    main()
