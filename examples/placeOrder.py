"""Signs one limit order and places it, without any of the venue's code.

    python3 examples/placeOrder.py http://127.0.0.1:8080 KEYFILE XLM-USDC buy 25 0.1
"""

import json
import secrets
import sys
import time
import urllib.error
import urllib.request

from signing import address, read_key, sign


def ask(url, body=None):
    """The answer's JSON. A refusal is an answer too: its `code` says why."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def place_order(url, key, name, side, quantity, price):
    venue = ask(f"{url}/api/v1/markets")
    market = next((one for one in venue["markets"] if one["name"] == name), None)
    if market is None:
        raise SystemExit(f"there is no market {name}")
    message = {
        "action": "order",
        "network": venue["network"],
        "vault": venue["vault"],
        "account": address(key),
        "nonce": secrets.token_hex(8),
        "expires": str(int(time.time()) + 600),
        "market": name,
        "base": market["base"]["contract"],
        "quote": market["quote"]["contract"],
        "side": side,
        "type": "limit",
        "price": price,
        "quantity": quantity,
        "timeInForce": "GTC",
    }
    request = {"message": message, "signature": sign(message, key)}
    while True:
        answer = ask(f"{url}/api/v1/orders", request)
        # The very same bytes again are the same order: nothing is placed twice.
        if answer.get("status") not in (503, 504):
            return answer
        time.sleep(1)


if __name__ == "__main__":
    if len(sys.argv) != 7:
        raise SystemExit(__doc__)
    url, path, market, side, quantity, price = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        key = read_key(file.read().strip())
    answer = place_order(url, key, market, side, quantity, price)
    print(json.dumps(answer))
    sys.exit(0 if "id" in answer else 1)
