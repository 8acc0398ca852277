"""Hooks of the property-based pass: what fits the description is signed as a trader would, so that it comes past the signature to what is behind it."""

import os
import sys
import time

import schemathesis
from schemathesis.generation import GenerationMode

sys.path.insert(0, os.environ["EXAMPLES"])
from signing import address, read_key, sign

with open(os.environ["KEYFILE"], encoding="utf-8") as file:
    KEY = read_key(file.read().strip())
BOUND = {"network": os.environ["NETWORK"], "vault": os.environ["VAULT"], "account": address(KEY)}
FITTING = {"price": "0.1", "quantity": "25", "spend": "2.5", "minimum": "10", "amount": "1", "timeout": "30"}
MARKET = {"market": os.environ["MARKET"], "base": os.environ["BASE"], "quote": os.environ["QUOTE"]}
ORDER = {"action": "order", "side": "buy", "type": "limit", "price": "0.1", "quantity": "25", "timeInForce": "GTC"}
CANCEL = {"action": "cancel", "order": "ab" * 32}


def signed(body, path):
    """Says in the message what no generator could guess, and signs it. Of every other one, amounts fit the market too."""
    message = {**body["message"], **BOUND, "expires": str(int(time.time()) + 30)}
    if message["action"] == "order":
        message.update(MARKET)
    if len(message["nonce"]) % 2 == 0:
        message.update({name: value for name, value in FITTING.items() if name in message})
    for name, member in (("id", "order"), ("clientOrderId", "clientOrderId"), ("key", "key")):
        if name in path and member in message:
            message[member] = path[name]
    return {"message": message, "signature": sign(message, KEY)}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE or not isinstance(case.body, dict):
        return
    path = case.path_parameters or {}
    if isinstance(case.body.get("message"), dict) and "action" in case.body["message"]:
        case.body = signed(case.body, path)
    elif isinstance(case.body.get("messages"), list):
        # The description leaves open what the messages of a batch are.
        shape = ORDER if case.method.upper() == "POST" else CANCEL
        case.body = {"messages": [signed({"message": {**shape, "nonce": f"batch-{n}"}}, path) for n in range(len(case.body["messages"]))]}
