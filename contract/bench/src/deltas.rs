//! Encodes a batch's deltas (docs/contract.md) for accounts that trade the two assets of group 0.

/// Base and quote amounts per trade, in the smallest unit: as sizes go in assets of seven decimals.
const SMALLEST_TRADE: i128 = 1_000_000_000;

/// Each account has sold to the next one and has bought from the one before; accounts in rising order.
pub fn chain_of_trades(accounts: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, 0);
    varint(&mut out, accounts.len() as u128);
    let (mut last_account, mut received) = (0, 0);
    for (position, account) in accounts.iter().enumerate() {
        varint(&mut out, u128::from(account - last_account));
        last_account = *account;
        let sent = if position + 1 == accounts.len() {
            0
        } else {
            SMALLEST_TRADE + 7_919 * (position as i128 % 1_000 + 1)
        };
        let base = received - sent;
        received = sent;
        out.push(0b11);
        zigzag(&mut out, base);
        zigzag(&mut out, -base * 3);
    }
    out
}

fn zigzag(out: &mut Vec<u8>, delta: i128) {
    varint(out, ((delta << 1) ^ (delta >> 127)) as u128);
}

fn varint(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
