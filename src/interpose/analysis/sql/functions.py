"""The reviewed table of functions that do more than compute: read and written against PostgreSQL 14 to 18's pg_proc.

Looked up by bare name, whatever the schema, since an unqualified name may mean any of several. A volatile function of
pg_catalog that is in no table here is not understood. Functions of users are judged by `call`, not here.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Deed(Enum):
    """What a function does beyond computing a value from its arguments."""

    FILE = "server_file"
    """Reads or writes files of the server."""
    ADMINISTER = "administer_server"
    """Acts on the server, on other sessions, on replication, or on another database."""
    MAINTAIN = "maintain"
    """Maintains a table or an index."""
    RUNS_TEXT = "runs_text"
    """Runs SQL that it gets as text, or reads tables that it gets by name."""
    SETTING = "setting"
    """Sets a setting: `set_config`."""
    SHOW = "show"
    """Shows a setting: `current_setting`."""
    SEQUENCE = "sequence"
    """Moves a sequence on."""
    NOTIFY = "notify"
    """Sends a notification."""
    LARGE_READ = "large_object_read"
    """Reads a large object: the value may be a copy of anything."""
    LARGE_WRITE = "large_object_write"
    """Makes, changes or drops a large object."""


DEEDS: Final[dict[str, Deed]] = {
    **dict.fromkeys(
        (
            "pg_current_logfile pg_file_read pg_file_rename pg_file_sync pg_file_unlink pg_file_write "
            "pg_hba_file_rules pg_ident_file_mappings pg_logdir_ls pg_ls_archive_statusdir pg_ls_dir "
            "pg_ls_logdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir "
            "pg_ls_tmpdir pg_ls_waldir pg_read_binary_file pg_read_file pg_read_file_old "
            "pg_show_all_file_settings pg_stat_file lo_import lo_export"
        ).split(),
        Deed.FILE,
    ),
    **dict.fromkeys(
        (
            "dblink dblink_build_sql_delete dblink_build_sql_insert dblink_build_sql_update "
            "dblink_cancel_query dblink_close dblink_connect dblink_connect_u dblink_current_query "
            "dblink_disconnect dblink_error_message dblink_exec dblink_fdw_validator dblink_fetch "
            "dblink_get_connections dblink_get_notify dblink_get_pkey dblink_get_result dblink_is_busy "
            "dblink_open dblink_send_query postgres_fdw_disconnect postgres_fdw_disconnect_all "
            "postgres_fdw_get_connections postgres_fdw_handler pg_backup_start pg_backup_stop "
            "pg_cancel_backend pg_clear_attribute_stats pg_clear_relation_stats "
            "pg_copy_logical_replication_slot pg_copy_physical_replication_slot "
            "pg_create_logical_replication_slot pg_create_physical_replication_slot pg_create_restore_point "
            "pg_drop_replication_slot pg_extension_config_dump pg_import_system_collations "
            "pg_log_backend_memory_contexts pg_log_standby_snapshot pg_logical_emit_message "
            "pg_get_replication_slots pg_logical_slot_get_binary_changes pg_logical_slot_get_changes "
            "pg_logical_slot_peek_binary_changes pg_logical_slot_peek_changes pg_nextoid pg_promote "
            "pg_reload_conf pg_replication_origin_advance pg_replication_origin_create "
            "pg_replication_origin_drop pg_replication_origin_session_reset "
            "pg_replication_origin_session_setup pg_replication_origin_xact_reset "
            "pg_replication_origin_xact_setup pg_replication_slot_advance pg_restore_attribute_stats "
            "pg_restore_relation_stats pg_rotate_logfile pg_rotate_logfile_old pg_start_backup pg_stat_reset "
            "pg_stat_reset_backend_stats pg_stop_backup pg_stat_reset_replication_slot pg_stat_reset_shared "
            "pg_stat_reset_single_function_counters pg_stat_reset_single_table_counters pg_stat_reset_slru "
            "pg_stat_reset_subscription_stats pg_stat_statements_reset pg_stop_making_pinned_objects "
            "pg_switch_wal pg_sync_replication_slots pg_terminate_backend pg_wal_replay_pause "
            "pg_wal_replay_resume pg_wal_summary_contents pg_available_wal_summaries "
            "pg_show_replication_origin_status"
        ).split(),
        Deed.ADMINISTER,
    ),
    **dict.fromkeys(
        "brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list".split(),
        Deed.MAINTAIN,
    ),
    **dict.fromkeys(
        (
            "connectby crosstab crosstab2 crosstab3 crosstab4 crosstabn cursor_to_xml cursor_to_xmlschema "
            "database_to_xml database_to_xml_and_xmlschema database_to_xmlschema query_to_xml "
            "query_to_xml_and_xmlschema query_to_xmlschema schema_to_xml schema_to_xml_and_xmlschema "
            "schema_to_xmlschema table_to_xml table_to_xml_and_xmlschema table_to_xmlschema ts_rewrite "
            "ts_stat xpath_table currtid2 get_raw_page"
        ).split(),
        Deed.RUNS_TEXT,
    ),
    "set_config": Deed.SETTING,
    "current_setting": Deed.SHOW,
    "nextval": Deed.SEQUENCE,
    "setval": Deed.SEQUENCE,
    "pg_notify": Deed.NOTIFY,
    "lo_get": Deed.LARGE_READ,
    "loread": Deed.LARGE_READ,
    **dict.fromkeys(
        "lo_creat lo_create lo_from_bytea lo_open lo_put lo_truncate lo_truncate64 lo_unlink lowrite".split(),
        Deed.LARGE_WRITE,
    ),
}
"""What each function does, by bare name."""

HARMLESS_VOLATILE: Final = frozenset(
    (
        "array_sample array_shuffle clock_timestamp current_query currval gen_random_uuid lastval "
        "lo_close lo_lseek lo_lseek64 lo_tell lo_tell64 pg_advisory_lock pg_advisory_lock_shared "
        "pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared pg_advisory_xact_lock "
        "pg_advisory_xact_lock_shared pg_blocking_pids pg_collation_actual_version pg_control_checkpoint "
        "pg_control_init pg_control_recovery pg_control_system pg_current_wal_flush_lsn "
        "pg_current_wal_insert_lsn pg_current_wal_lsn pg_database_collation_actual_version "
        "pg_database_size pg_export_snapshot pg_get_aios pg_get_backend_memory_contexts "
        "pg_get_loaded_modules pg_get_multixact_members pg_get_sequence_data pg_get_shmem_allocations "
        "pg_get_shmem_allocations_numa pg_get_wait_events pg_get_wal_replay_pause_state "
        "pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_indexes_size pg_is_in_recovery "
        "pg_is_wal_replay_paused pg_isolation_test_session_is_blocked pg_jit_available "
        "pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn "
        "pg_last_xact_replay_timestamp pg_lock_status pg_notification_queue_usage pg_partition_ancestors "
        "pg_partition_tree pg_prepared_xact pg_relation_size pg_replication_origin_progress "
        "pg_replication_origin_session_is_setup pg_replication_origin_session_progress "
        "pg_safe_snapshot_blocking_pids pg_sequence_last_value pg_sleep pg_sleep_for pg_sleep_until "
        "pg_stat_clear_snapshot pg_stat_force_next_flush pg_stat_have_stats pg_table_size "
        "pg_tablespace_size pg_total_relation_size pg_try_advisory_lock pg_try_advisory_lock_shared "
        "pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_xact_commit_timestamp "
        "suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column amvalidate "
        "pg_xact_commit_timestamp_origin pg_xact_status random random_normal setseed timeofday "
        "txid_status uuidv4 uuidv7"
    ).split(),
)
"""Volatile functions of pg_catalog that change nothing outside their own result."""

HARMLESS_PREFIXES: Final = ("pg_stat_get_",)
"""Volatile functions of pg_catalog with these prefixes only report."""

SHOWS_OTHERS: Final = frozenset(
    (
        "pg_stat_get_activity pg_stat_get_backend_activity pg_mcv_list_items pg_stat_statements "
        "pg_stat_get_wal_receiver pg_show_replication_origin_status pg_cursor pg_prepared_statement"
    ).split(),
)
"""Functions whose result may hold copies of anybody's values: their lineage is never known."""

SYSTEM_COPIES: Final = frozenset(
    {
        ("pg_stats", "most_common_vals"),
        ("pg_stats", "most_common_elems"),
        ("pg_stats", "histogram_bounds"),
        ("pg_stats", "range_bounds_histogram"),
        ("pg_stats_ext", "most_common_vals"),
        ("pg_stats_ext_exprs", "most_common_vals"),
        ("pg_stats_ext_exprs", "most_common_elems"),
        ("pg_stats_ext_exprs", "histogram_bounds"),
        *(("pg_statistic", f"stavalues{slot}") for slot in range(1, 6)),
        ("pg_statistic_ext_data", "stxdmcv"),
        ("pg_statistic_ext_data", "stxdexpr"),
        ("pg_stat_activity", "query"),
        ("pg_stat_statements", "query"),
        ("pg_largeobject", "data"),
        ("pg_cursors", "statement"),
        ("pg_prepared_statements", "statement"),
        ("pg_authid", "rolpassword"),
        ("pg_shadow", "passwd"),
        ("pg_user_mapping", "umoptions"),
        ("pg_user_mappings", "umoptions"),
        ("pg_subscription", "subconninfo"),
        ("pg_attribute", "attmissingval"),
        ("pg_stat_wal_receiver", "conninfo"),
        ("user_mapping_options", "option_value"),
    },
)
"""Columns of system catalogs and views that hold copies of users' values, or secrets: their lineage is never known."""

COMPUTING_EXTENSIONS: Final = frozenset(
    (
        "btree_gin btree_gist citext cube earthdistance fuzzystrmatch hstore intarray isn ltree pg_trgm "
        "pgcrypto postgis seg unaccent uuid-ossp vector"
    ).split(),
)
"""Extensions whose C functions compute from their arguments only; other extensions' functions are a user's."""
