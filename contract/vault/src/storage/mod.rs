//! What is stored, under which key, and how it is kept alive. No rules: those are with the callers.

mod accounts;
mod announcements;
mod channels;
mod entry;
mod fees;
mod instance;
mod issuer_flags;
mod key;
mod pages;
mod pauses;
mod trades;
mod trading_keys;

pub use accounts::{account_address, account_count, account_index, open_account};
pub use announcements::{announcements, change_delay, set_announcements, set_change_delay};
pub use channels::{Channel, channel, set_channel};
pub use fees::{fees, set_fees};
pub use instance::{
    MAX_ASSETS, MAX_CHANNELS, add_asset, admin, asset_count, asset_index, assets, fee_cap,
    matching_engine, pauser, remove_matching_engine, set_admin, set_fee_cap, set_matching_engine,
    set_pauser, set_treasury, treasury,
};
pub use issuer_flags::{issuer_flags, set_issuer_flags};
pub use key::{DataKey, Key, PageKey};
pub use pages::{create_page, page, replace_page};
pub use pauses::{Pauses, pauses, set_pauses};
pub use trades::{is_trade_settled, mark_trade_settled};
pub use trading_keys::{set_trading_key, trading_key};
