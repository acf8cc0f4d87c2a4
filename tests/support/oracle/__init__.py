"""An independent oracle for lineage: what PostgreSQL itself says that a statement reads, and from where each output column comes."""
