"""What is known of functions that are not PostgreSQL's own, and of system columns that hold copies of values.

The functions of extensions that do more than compute are looked up by bare name, whatever the schema, since an extension may be
installed anywhere. PostgreSQL's own functions are in `reviewed`; a user's function is judged by `calls`.
"""

from __future__ import annotations

from typing import Final

from interpose.analysis.sql.reviewed import REVIEWED, Deed

_EXTENSIONS: Final[dict[str, Deed]] = {
    **dict.fromkeys(
        (
            # adminpack, genfile
            "pg_file_read pg_file_rename pg_file_sync pg_file_unlink pg_file_write pg_logdir_ls "
            # pageinspect and pg_walinspect read the raw pages of any table, and what was written to them
            "get_raw_page pg_get_wal_block_info pg_get_wal_fpi_info pg_get_wal_record_info pg_get_wal_records_info "
            "pg_get_wal_records_info_till_end_of_wal"
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
            "postgres_fdw_get_connections postgres_fdw_handler"
        ).split(),
        Deed.OTHER_SERVER,
    ),
    **dict.fromkeys(
        (
            "pg_stat_statements_reset pg_stat_statements_info pg_buffercache_evict pg_buffercache_evict_all "
            "pg_buffercache_evict_relation autoprewarm_dump_now autoprewarm_start_worker heap_force_freeze "
            "heap_force_kill"
        ).split(),
        Deed.ADMINISTER,
    ),
    **dict.fromkeys(
        (
            "pg_prewarm pgstattuple pgstattuple_approx pgstatindex pgstatginindex pgstathashindex pg_relpages bt_index_check "
            "bt_index_parent_check gin_index_check verify_heapam pg_truncate_visibility_map"
        ).split(),
        Deed.MAINTAIN,
    ),
    **dict.fromkeys(
        (
            "connectby crosstab crosstab2 crosstab3 crosstab4 crosstabn xpath_table "
            # PostGIS: what the statistics and indexes of a table that is named in a text hold
            "st_estimatedextent st_estimated_extent _postgis_stats _postgis_selectivity _postgis_join_selectivity "
            "_postgis_index_extent"
        ).split(),
        Deed.RUNS_TEXT,
    ),
}
"""Functions of extensions that do more than compute."""

DEEDS: Final[dict[str, Deed]] = {
    **{name: each.verdict for name, each in REVIEWED.items() if isinstance(each.verdict, Deed)},
    **_EXTENSIONS,
}
"""What each function does that does more than answer, by bare name: a user's function of that name counts as it too."""

SYSTEM_COPIES: Final = frozenset(
    {
        ("pg_stats", "most_common_vals"),
        ("pg_stats", "most_common_elems"),
        ("pg_stats", "histogram_bounds"),
        ("pg_stats", "range_bounds_histogram"),
        ("pg_stats", "n_distinct"),
        ("pg_stats", "correlation"),
        ("pg_stats", "most_common_freqs"),
        ("pg_stats", "most_common_elem_freqs"),
        ("pg_stats", "elem_count_histogram"),
        *(("pg_statistic", f"stanumbers{slot}") for slot in range(1, 6)),
        ("pg_statistic", "stadistinct"),
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

SYSTEM_DEFINITIONS: Final = frozenset(
    {
        ("attributes", "attribute_default"),
        ("check_constraints", "check_clause"),
        ("columns", "column_default"),
        ("domains", "domain_default"),
        ("parameters", "parameter_default"),
        ("pg_attrdef", "adbin"),
        ("pg_constraint", "conbin"),
        ("pg_description", "description"),
        ("pg_index", "indexprs"),
        ("pg_index", "indpred"),
        ("pg_indexes", "indexdef"),
        ("pg_matviews", "definition"),
        ("pg_partitioned_table", "partexprs"),
        ("pg_policies", "qual"),
        ("pg_policies", "with_check"),
        ("pg_policy", "polqual"),
        ("pg_policy", "polwithcheck"),
        ("pg_proc", "proargdefaults"),
        ("pg_proc", "prosqlbody"),
        ("pg_proc", "prosrc"),
        ("pg_publication_rel", "prqual"),
        ("pg_publication_tables", "rowfilter"),
        ("pg_rewrite", "ev_action"),
        ("pg_rewrite", "ev_qual"),
        ("pg_rules", "definition"),
        ("pg_shdescription", "description"),
        ("pg_statistic_ext", "stxexprs"),
        ("pg_stats_ext", "exprs"),
        ("pg_stats_ext_exprs", "expr"),
        ("pg_trigger", "tgargs"),
        ("pg_trigger", "tgqual"),
        ("pg_type", "typdefault"),
        ("pg_type", "typdefaultbin"),
        ("pg_views", "definition"),
        ("routines", "routine_definition"),
        ("triggers", "action_condition"),
        ("triggers", "action_statement"),
        ("views", "view_definition"),
    },
)
"""Columns of system catalogs and views that hold definitions, comments and bodies, with the constants in them (bounds of partitions,
predicates of indexes, checks, defaults): their lineage is never known."""

COMPUTING_EXTENSIONS: Final = frozenset(
    (
        "btree_gin btree_gist citext cube earthdistance fuzzystrmatch hstore intarray isn ltree pg_trgm "
        "pgcrypto postgis seg unaccent uuid-ossp vector"
    ).split(),
)
"""Extensions whose C functions compute from their arguments only; other extensions' functions are a user's."""

KEEPING: Final = frozenset({"set_limit", "isn_weak"})
"""Functions of such extensions that keep their argument in the session, where another function tells it: no computing."""
