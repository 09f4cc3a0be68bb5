"""Rollup configs for interop runs: a chain whose forks up to a given one are active from its genesis on."""

import json

FORKS = ["bedrock", "canyon", "ecotone", "isthmus", "jovian"]
TOPIC_OF_FORK = {"bedrock": 0, "canyon": 1, "ecotone": 2, "isthmus": 3, "jovian": 3}
CHAIN_ID = 901  # that of our devnet
SEQUENCER_KEY = "5f0d6b0a2b4d6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708"
FORK_KEYS = {
    "canyon": ["canyon_time", "delta_time"],
    "ecotone": ["ecotone_time"],
    "isthmus": ["fjord_time", "granite_time", "holocene_time", "isthmus_time"],
    "jovian": ["jovian_time"],
}


def rollup_config(fork, genesis_time, block_time=2, chain_id=CHAIN_ID):
    config = {
        "genesis": {
            "l1": {"hash": "0x" + "11" * 32, "number": 1},
            "l2": {"hash": "0x" + "22" * 32, "number": 0},
            "l2_time": genesis_time,
            "system_config": {
                "batcherAddr": "0x" + "33" * 20,
                "overhead": "0x" + "00" * 32,
                "scalar": "0x" + "00" * 31 + "01",
                "gasLimit": 60000000,
            },
        },
        "block_time": block_time,
        "max_sequencer_drift": 600,
        "seq_window_size": 3600,
        "channel_timeout": 300,
        "l1_chain_id": 1,
        "l2_chain_id": chain_id,
        "regolith_time": 0,
        "batch_inbox_address": "0x" + "44" * 20,
        "deposit_contract_address": "0x" + "55" * 20,
        "l1_system_config_address": "0x" + "66" * 20,
        "chain_op_config": {"eip1559Elasticity": 6, "eip1559Denominator": 50, "eip1559DenominatorCanyon": 250},
    }
    for name in FORKS[1:FORKS.index(fork) + 1]:
        for key in FORK_KEYS[name]:
            config[key] = 0
    return config


def write_config(path, **fields):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rollup_config(**fields), file, indent=1)
    return path
