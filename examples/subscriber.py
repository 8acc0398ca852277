# An account's feed over NATS with the stock Python client and nothing of ours: prints every message once and in order, from the first that is kept on. Given an order, places it first.
#   pip install 'nats-py[nkeys]' pynacl
#   SECRET=S… python subscriber.py http://127.0.0.1:8080 buy XLM-USDC 10 0.12
import asyncio
import base64
import binascii
import hashlib
import json
import os
import secrets
import sys
import time
import urllib.request

import nats
from nacl.signing import SigningKey

gateway, *order = sys.argv[1:]
seed = base64.b32decode(os.environ["SECRET"])[1:33]
signing = SigningKey(seed)


def encoded(prefix, key):
    """Base32 of prefix, key and checksum, as Stellar and NATS write keys."""
    body = bytes(prefix) + key
    return base64.b32encode(body + binascii.crc_hqx(body, 0).to_bytes(2, "little")).decode().rstrip("=")


account = encoded([6 << 3], bytes(signing.verify_key))  # G…
nkey_seed = encoded([149, 0], seed)  # SU…: the same key, as NATS takes it
with urllib.request.urlopen(f"{gateway}/api/v1/markets", timeout=30) as answer:
    venue = json.load(answer)
name = venue["venue"]


def signed(message):
    """A signed message (docs/messages.md): sorted, without white space, by SEP-53."""
    text = json.dumps(message, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(f"Stellar Signed Message:\n{text}".encode()).digest()
    return {"message": message, "signature": base64.b64encode(signing.sign(digest).signature).decode()}


def limit_order(side, market, quantity, price):
    named = next(one for one in venue["markets"] if one["name"] == market)
    return signed({
        "action": "order", "network": venue["network"], "vault": venue["vault"], "account": account,
        "nonce": secrets.token_urlsafe(12), "expires": str(int(time.time()) + 3600),
        "market": market, "base": named["base"]["contract"], "quote": named["quote"]["contract"],
        "side": side, "type": "limit", "price": price, "quantity": quantity, "timeInForce": "GTC",
    })


def show(kind, body):
    print(json.dumps({kind: body}), flush=True)


async def main():
    connection = await nats.connect(
        venue["nats"]["addresses"], nkeys_seed_str=nkey_seed, inbox_prefix=f"_INBOX_{account}",
        connect_timeout=20, max_reconnect_attempts=-1,
    )

    async def ask(operation, body):
        subject = f"dp.v1.{name}.trader.{account}.{account}.{operation}"
        return json.loads((await connection.request(subject, json.dumps(body).encode(), timeout=10)).data)

    live = asyncio.Queue()
    await connection.subscribe(f"dp.v1.{name}.feed.{account}", cb=live.put)

    if order:
        request = limit_order(*order)
        while True:
            try:
                show("order", await ask("orders", request))
                break
            except nats.errors.Error:
                await asyncio.sleep(1)  # no answer: the very same message again takes effect once

    last = 0
    while True:
        try:
            page = await ask("replay", {"after": last})
        except nats.errors.Error:
            page = {"status": 503}
        if page["status"] in (429, 503):
            await asyncio.sleep(1)
            continue
        if page["status"] != 200:
            sys.exit(page["body"]["title"])
        for message in page["body"]["messages"]:
            last = message["seq"]
            show("message", message)
        if page["body"]["more"]:
            continue
        try:
            while True:
                message = json.loads((await asyncio.wait_for(live.get(), 10)).data)
                if message["seq"] > last + 1:
                    break  # one is missing: replay has it
                if message["seq"] == last + 1:
                    last += 1
                    show("message", message)
        except asyncio.TimeoutError:
            pass  # nothing for ten seconds: look whether something was missed


asyncio.run(main())
