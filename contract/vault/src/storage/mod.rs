//! What is stored, under which key, and how it is kept alive. No rules: those are with the callers.

mod accounts;
mod channels;
mod entry;
mod instance;
mod key;
mod pages;
mod trades;

pub use accounts::{account_address, account_count, account_index, open_account};
pub use channels::{Channel, channel, set_channel};
pub use instance::{
    MAX_ASSETS, add_asset, admin, asset_count, asset_index, assets, matching_engine, set_admin,
    set_matching_engine,
};
pub use key::{DataKey, Key, PageKey};
pub use pages::{create_page, page, replace_page};
pub use trades::{is_trade_settled, mark_trade_settled};
