"""The vocabulary is closed: every node of the grammar is known, or known never to come, and nothing else is walked."""

from postgast import pg_query_pb2 as pb

from interpose.analysis.sql.expressions import EXPRESSION_KINDS
from interpose.analysis.sql.from_clause import FROM_KINDS
from interpose.analysis.sql.vocabulary import NEVER_AT_TOP, STATEMENTS

NODES = {field.name: field.message_type.name for field in pb.Node.DESCRIPTOR.fields}

PARTS = set(
    (
        "alias into_clause with_clause common_table_expr ctesearch_clause ctecycle_clause infer_clause on_conflict_clause "
        "merge_when_clause returning_option returning_clause locking_clause range_table_func_col type_name role_spec "
        "a_star column_def table_like_clause index_elem def_elem partition_elem partition_spec partition_bound_spec "
        "partition_range_datum partition_cmd trigger_transition alter_table_cmd atalter_constraint object_with_args "
        "access_priv constraint create_op_class_item stats_elem function_parameter vacuum_relation publication_table "
        "publication_obj_spec boolean bit_string int_list oid_list inline_code_block call_context json_agg_constructor"
    ).split()
)
"""Nodes that are walked by what they are a part of, or that hold nothing that matters."""

AFTER_PARSING = set(
    (
        "table_func var param aggref window_func window_func_run_condition subscripting_ref func_expr op_expr "
        "distinct_expr null_if_expr scalar_array_op_expr sub_plan alternative_sub_plan field_select field_store "
        "relabel_type coerce_via_io array_coerce_expr convert_rowtype_expr collate_expr case_test_expr array_expr "
        "row_compare_expr json_constructor_expr json_expr json_table_path json_table_path_scan json_table_sibling_join "
        "merge_action coerce_to_domain coerce_to_domain_value next_value_expr inference_elem returning_expr target_entry "
        "range_tbl_ref from_expr on_conflict_expr query range_tbl_entry rtepermission_info range_tbl_function "
        "table_sample_clause with_check_option sort_group_clause window_clause row_mark_clause"
    ).split()
)
"""Nodes that only later stages of the server make: a text never parses into them, and should one come, it is unknown."""


def test_every_statement_of_the_grammar_is_in_the_table() -> None:
    statements = {name for name, message in NODES.items() if message.endswith("Stmt")}
    assert statements == set(STATEMENTS) | NEVER_AT_TOP
    assert not set(STATEMENTS) & NEVER_AT_TOP


def test_every_other_node_is_known_or_never_comes() -> None:
    others = {name for name, message in NODES.items() if not message.endswith("Stmt")}
    known = (EXPRESSION_KINDS | FROM_KINDS | PARTS | AFTER_PARSING) - NEVER_AT_TOP
    assert others - known == set(), "the grammar has nodes that nobody looked at"
    assert known - others == set(), "the tables name nodes that the grammar does not have"
    assert not AFTER_PARSING & (EXPRESSION_KINDS | FROM_KINDS)
