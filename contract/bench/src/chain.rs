//! A ledger in memory and the public network's settings.

use std::collections::BTreeMap;
use std::rc::Rc;

use localnet::soroban::{Parsing, parse};
use soroban_env_host::storage::{EntryWithLiveUntil, SnapshotSource};
use soroban_env_host::xdr::{
    ConfigSettingEntry, LedgerEntry, LedgerEntryData, LedgerKey, LedgerKeyConfigSetting,
};
use soroban_env_host::{HostError, LedgerInfo, ModuleCache};
use soroban_simulation::NetworkConfig;

use crate::Outcome;
use crate::xdr::{ledger_entry, sha256};

pub const PASSPHRASE: &str = "contract bench";
/// Far enough from the start for entries to have lived a while.
const LEDGER: u32 = 1_000_000;
const CLOSE_TIME: u64 = 1_790_000_000;

/// What a transaction may use at most.
pub struct Limits {
    pub instructions: u64,
    pub memory_bytes: u64,
    pub write_entries: u32,
    pub write_bytes: u32,
    pub transaction_bytes: u32,
    pub footprint_entries: u32,
    pub event_bytes: u32,
}

#[derive(Clone, Default)]
struct Entries(BTreeMap<LedgerKey, (Rc<LedgerEntry>, Option<u32>)>);

impl SnapshotSource for Entries {
    fn get(&self, key: &Rc<LedgerKey>) -> Result<Option<EntryWithLiveUntil>, HostError> {
        Ok(self.0.get(key.as_ref()).cloned())
    }
}

pub struct Chain {
    entries: Rc<Entries>,
    pub config: NetworkConfig,
    pub limits: Limits,
    pub info: LedgerInfo,
    pub modules: ModuleCache,
    parsing: Parsing,
}

impl Chain {
    pub fn new() -> Outcome<Self> {
        let settings = localnet::settings::entries();
        let limits = limits(&settings)?;
        let mut entries = Entries::default();
        for setting in settings {
            let key = LedgerKey::ConfigSetting(LedgerKeyConfigSetting {
                config_setting_id: setting.discriminant(),
            });
            let entry = ledger_entry(LedgerEntryData::ConfigSetting(setting));
            entries.0.insert(key, (Rc::new(entry), None));
        }
        let config = NetworkConfig::load_from_snapshot(&entries)
            .map_err(|error| format!("the settings can't be read: {error:#}"))?;
        let mut info = LedgerInfo {
            protocol_version: localnet::network::PROTOCOL,
            sequence_number: LEDGER,
            timestamp: CLOSE_TIME,
            network_id: sha256(PASSPHRASE.as_bytes()),
            base_reserve: localnet::genesis::BASE_RESERVE,
            ..LedgerInfo::default()
        };
        config.fill_config_fields_in_ledger_info(&mut info);
        let parsing = Parsing::priced(
            config.cpu_cost_params.clone(),
            config.memory_cost_params.clone(),
        )?;
        let modules =
            ModuleCache::new(&parsing).map_err(|error| format!("no module cache: {error}"))?;
        Ok(Self {
            entries: Rc::new(entries),
            config,
            limits,
            info,
            modules,
            parsing,
        })
    }

    pub fn snapshot(&self) -> Rc<dyn SnapshotSource> {
        self.entries.clone()
    }

    pub fn get(&self, key: &LedgerKey) -> Option<&(Rc<LedgerEntry>, Option<u32>)> {
        self.entries.0.get(key)
    }

    pub fn put(
        &mut self,
        key: LedgerKey,
        entry: LedgerEntry,
        live_until: Option<u32>,
    ) -> Outcome<()> {
        if let LedgerEntryData::ContractCode(code) = &entry.data {
            parse(&self.modules, &self.parsing, code)?;
        }
        Rc::make_mut(&mut self.entries)
            .0
            .insert(key, (Rc::new(entry), live_until));
        Ok(())
    }

    pub fn remove(&mut self, key: &LedgerKey) {
        Rc::make_mut(&mut self.entries).0.remove(key);
    }

    /// Until when an entry lives that was made in this ledger.
    pub fn new_entry_lives_until(&self) -> u32 {
        LEDGER + self.config.min_persistent_entry_ttl - 1
    }
}

fn limits(settings: &[ConfigSettingEntry]) -> Outcome<Limits> {
    let mut limits = Limits {
        instructions: 0,
        memory_bytes: 0,
        write_entries: 0,
        write_bytes: 0,
        transaction_bytes: 0,
        footprint_entries: 0,
        event_bytes: 0,
    };
    for setting in settings {
        match setting {
            ConfigSettingEntry::ContractComputeV0(compute) => {
                limits.instructions = u64::try_from(compute.tx_max_instructions)
                    .map_err(|_| "the limit of instructions is negative")?;
                limits.memory_bytes = compute.tx_memory_limit.into();
            }
            ConfigSettingEntry::ContractLedgerCostV0(cost) => {
                limits.write_entries = cost.tx_max_write_ledger_entries;
                limits.write_bytes = cost.tx_max_write_bytes;
            }
            ConfigSettingEntry::ContractLedgerCostExtV0(cost) => {
                limits.footprint_entries = cost.tx_max_footprint_entries;
            }
            ConfigSettingEntry::ContractBandwidthV0(bandwidth) => {
                limits.transaction_bytes = bandwidth.tx_max_size_bytes;
            }
            ConfigSettingEntry::ContractEventsV0(events) => {
                limits.event_bytes = events.tx_max_contract_events_size_bytes;
            }
            _ => {}
        }
    }
    Ok(limits)
}
