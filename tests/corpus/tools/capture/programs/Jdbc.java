/** The JDBC driver: DatabaseMetaData as DBeaver, Metabase and every Java tool ask it, then ordinary work. Java 17, one file. */
import java.sql.*;
import java.util.*;

public class Jdbc {
    static Connection c;

    static void mark(String label) throws SQLException {
        try (Statement s = c.createStatement()) { s.execute("/*@@ " + label + " */ select 1"); }
    }

    static void all(ResultSet r) throws SQLException {
        ResultSetMetaData m = r.getMetaData();
        while (r.next()) for (int i = 1; i <= m.getColumnCount(); i++) r.getObject(i);
        r.close();
    }

    public static void main(String[] a) throws Exception {
        Properties p = new Properties();
        p.setProperty("user", System.getenv("PGUSER"));
        p.setProperty("password", System.getenv("PGPASSWORD"));
        p.setProperty("sslmode", "disable");
        c = DriverManager.getConnection("jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE"), p);
        DatabaseMetaData d = c.getMetaData();
        mark("DatabaseMetaData: lists");
        all(d.getCatalogs()); all(d.getSchemas()); all(d.getSchemas(null, "stock")); all(d.getTableTypes()); all(d.getTypeInfo()); all(d.getClientInfoProperties());
        d.getMaxColumnNameLength(); d.getSQLKeywords(); d.getDatabaseProductVersion(); d.getNumericFunctions(); d.getDefaultTransactionIsolation();
        for (String s : new String[] {null, "public", "stock", "pg_catalog"}) {
            mark("DatabaseMetaData: " + s);
            all(d.getTables(null, s, "%", null));
            all(d.getTables(null, s, "%", new String[] {"TABLE", "VIEW", "FOREIGN TABLE", "MATERIALIZED VIEW", "PARTITIONED TABLE"}));
            all(d.getColumns(null, s, "%", "%")); all(d.getFunctions(null, s, "%")); all(d.getProcedures(null, s, "%"));
            all(d.getFunctionColumns(null, s, "%count%", "%")); all(d.getProcedureColumns(null, s, "%", "%")); all(d.getUDTs(null, s, "%", null));
            all(d.getTablePrivileges(null, s, "%"));
        }
        for (String[] t : new String[][] {{"public", "orders"}, {"public", "customers"}, {"stock", "shelves"}, {"public", "customer_overview"}, {"stock", "moves"}}) {
            mark("DatabaseMetaData: " + t[0] + "." + t[1]);
            all(d.getPrimaryKeys(null, t[0], t[1])); all(d.getImportedKeys(null, t[0], t[1])); all(d.getExportedKeys(null, t[0], t[1]));
            all(d.getIndexInfo(null, t[0], t[1], false, true)); all(d.getIndexInfo(null, t[0], t[1], true, false));
            all(d.getColumnPrivileges(null, t[0], t[1], "%")); all(d.getBestRowIdentifier(null, t[0], t[1], DatabaseMetaData.bestRowSession, true));
            all(d.getVersionColumns(null, t[0], t[1])); all(d.getCrossReference(null, t[0], t[1], null, "public", "orders"));
        }
        mark("ordinary work");
        c.isValid(5); c.getSchema(); c.setSchema("public"); c.setClientInfo("ApplicationName", "a tool"); c.setReadOnly(true);
        c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ); c.setAutoCommit(false);
        try (PreparedStatement s = c.prepareStatement("select o.*, p.name from orders o join order_items i on i.order_id = o.id join products p on p.id = i.product_id where o.id = ? and p.price_cents > ?")) {
            for (int i = 1; i < 8; i++) { s.setLong(1, i); s.setInt(2, 1); ResultSet r = s.executeQuery(); r.getMetaData().isAutoIncrement(1); r.getMetaData().isNullable(1); all(r); }
        }
        try (Statement s = c.createStatement()) { s.setFetchSize(100); ResultSet r = s.executeQuery("select id, placed, shipping from orders"); ((org.postgresql.PGResultSetMetaData) r.getMetaData()).getBaseTableName(1); all(r); }
        c.commit(); c.setReadOnly(false);
        try (PreparedStatement s = c.prepareStatement("insert into orders (customer_id, status, shipping, placed) values (?, ?, ?::jsonb, now())", Statement.RETURN_GENERATED_KEYS)) {
            s.setLong(1, 1); s.setString(2, "placed"); s.setString(3, "{}"); s.executeUpdate(); all(s.getGeneratedKeys());
        }
        try (PreparedStatement s = c.prepareStatement("update orders set status = ? where id = ?")) { for (int i = 1; i < 4; i++) { s.setString(1, "paid"); s.setLong(2, i); s.addBatch(); } s.executeBatch(); }
        Savepoint point = c.setSavepoint(); c.rollback(point); c.releaseSavepoint(c.setSavepoint("mine")); c.rollback(); c.setAutoCommit(true);
        try (PreparedStatement s = c.prepareStatement("select id from orders where id = any (?)")) { s.setArray(1, c.createArrayOf("bigint", new Object[] {1L, 2L})); all(s.executeQuery()); }
        try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_SENSITIVE, ResultSet.CONCUR_UPDATABLE)) { ResultSet r = s.executeQuery("select id, status from orders where id < 3"); r.next(); r.updateString(2, "paid"); r.updateRow(); r.refreshRow(); r.close(); }
        try (Statement s = c.createStatement()) { all(s.executeQuery("select code, size, spot, validity, doc from stock.shelves")); all(s.executeQuery("select s.spot, array_agg(s.size) from stock.shelves s group by 1")); }
        try (CallableStatement s = c.prepareCall("{? = call upper(?)}")) { s.registerOutParameter(1, Types.VARCHAR); s.setString(2, "x"); s.execute(); }
        try (PreparedStatement s = c.prepareStatement("select status, count(*) from orders where {fn upper(status)} = ? group by status")) { s.setString(1, "PAID"); s.getParameterMetaData().getParameterType(1); all(s.executeQuery()); }
        c.close();
    }
}
