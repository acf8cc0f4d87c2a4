// What node's clients ask for: pg itself, Knex, Sequelize, TypeORM and Drizzle Kit. `TOOLS_NODE` has their node_modules.
const path = require("path"), fs = require("fs"), os = require("os"), child = require("child_process");
const home = path.join(process.env.TOOLS_NODE || ".", "node_modules");
const use = (name) => require(path.join(home, name));
const env = process.env;
const url = `postgresql://${env.PGUSER}:${env.PGPASSWORD}@${env.PGHOST}:${env.PGPORT}/${env.PGDATABASE}`;

const programs = {
  async pg() {
    const { Pool, types } = use("pg"), Cursor = use("pg-cursor"), postgres = use("postgres");
    const pool = new Pool({ max: 1, statement_timeout: 60000, application_name: "a tool" });
    const mark = (label) => pool.query(`/*@@ ${label} */ select 1`);
    await mark("pg: ordinary work");
    await pool.query("SELECT NOW()");
    await pool.query("select * from orders where id = $1", [1]);
    await pool.query({ name: "by-ids", text: "select id, status from orders where id = any($1) and status <> $2", values: [[1, 2], "x"] });
    await pool.query("select json_agg(o) from (select id, status, placed from orders limit 3) o");
    const client = await pool.connect();
    await client.query("BEGIN"); await client.query("SET LOCAL statement_timeout = '5s'"); await client.query("SAVEPOINT a");
    await client.query("update orders set status = $1 where id = $2 returning id, status", ["paid", 1]); await client.query("RELEASE SAVEPOINT a"); await client.query("COMMIT");
    const cursor = client.query(new Cursor("select id from orders order by id")); await cursor.read(100); await cursor.close();
    await client.query("LISTEN orders"); await client.query("UNLISTEN *"); client.release(); await mark("postgres.js: types and work");
    const sql = postgres({ max: 1 });
    await sql`select id, status, ${[1, 2]}::int[] as ids from orders where id in ${sql([1, 2])}`;
    await sql`update orders set ${sql({ status: "paid" }, "status")} where id = 2 returning *`;
    await sql.begin(async (t) => { await t`select 1`; await t.savepoint((s) => s`select 2`); });
    await sql.end(); await pool.end();
  },
  async knex() {
    const knex = use("knex")({ client: "pg", connection: url, pool: { min: 1, max: 1 } });
    const mark = (label) => knex.raw(`/*@@ ${label} */ select 1`);
    await mark("introspection");
    await knex.schema.hasTable("orders"); await knex.schema.hasColumn("orders", "id"); await knex("orders").columnInfo(); await knex.schema.withSchema("stock").hasTable("shelves");
    await mark("ordinary work");
    await knex("orders").where({ status: "paid" }).orderBy("placed", "desc").limit(10).offset(20); await knex("orders").count("*"); await knex("orders").first("id");
    await knex("orders").join("order_items", "orders.id", "order_items.order_id").groupBy("orders.status").select("orders.status").sum("quantity"); await knex("orders").whereIn("id", [1, 2]).pluck("id");
    await knex.transaction(async (t) => { await t("orders").where("id", 1).forUpdate().first(); await t("orders").insert({ customer_id: 1, status: "placed", placed: new Date(0) }).returning("id"); await t("order_items").insert({ order_id: 7, line: 1, product_id: 1, quantity: 1, price_cents: 1 }).onConflict(["order_id", "line"]).merge(); });
    await knex.with("w", knex("orders").select("id")).from("w").limit(2); await knex("orders").where("id", 2).update({ status: "paid" }, ["id"]); await knex.destroy();
  },
  async sequelize() {
    const { Sequelize, DataTypes, Op } = use("sequelize");
    const db = new Sequelize(url, { logging: false, dialectModule: use("pg"), pool: { max: 1 } });
    const mark = (label) => db.query(`/*@@ ${label} */ select 1`);
    await db.authenticate(); await mark("introspection");
    const q = db.getQueryInterface();
    await q.showAllTables(); await q.showAllSchemas(); await q.describeTable("orders"); await q.describeTable("customers"); await q.showIndex("orders"); await q.getForeignKeyReferencesForTable("orders"); await q.tableExists("orders"); await db.databaseVersion();
    await mark("ordinary work");
    const options = { timestamps: false };
    const Order = db.define("orders", { id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true }, customer_id: DataTypes.BIGINT, status: DataTypes.TEXT, placed: DataTypes.DATE }, options);
    const Customer = db.define("customers", { id: { type: DataTypes.BIGINT, primaryKey: true }, name: DataTypes.TEXT, email: DataTypes.TEXT }, options);
    Order.belongsTo(Customer, { foreignKey: "customer_id" }); Customer.hasMany(Order, { foreignKey: "customer_id" });
    await Order.findByPk(1); await Order.findAll({ where: { status: { [Op.in]: ["paid", "placed"] } }, limit: 5, offset: 5, order: [["id", "DESC"]] }); await Order.findAndCountAll({ include: Customer, limit: 5 }); await Order.count(); await Order.max("id");
    await Customer.findAll({ include: Order, limit: 3 }); await Order.findAll({ attributes: ["status", [db.fn("count", "*"), "n"]], group: ["status"] });
    await db.transaction(async (transaction) => { const o = await Order.create({ customer_id: 1, status: "placed", placed: new Date(0) }, { transaction }); await o.update({ status: "paid" }, { transaction }); await Order.findByPk(1, { lock: true, transaction }); await o.destroy({ transaction }); });
    await Order.bulkCreate([{ id: 3, customer_id: 1, status: "paid", placed: new Date(0) }], { updateOnDuplicate: ["status"] }); await Order.update({ status: "paid" }, { where: { id: 1 } }); await db.close();
  },
  async typeorm() {
    use("reflect-metadata");
    const { DataSource, EntitySchema, In } = use("typeorm");
    const Customer = new EntitySchema({ name: "customers", columns: { id: { type: "bigint", primary: true, generated: true }, name: { type: "text" }, email: { type: "text" } } });
    const Order = new EntitySchema({ name: "orders", columns: { id: { type: "bigint", primary: true, generated: true }, status: { type: "text" }, placed: { type: "timestamptz" } }, relations: { customer: { type: "many-to-one", target: "customers", joinColumn: { name: "customer_id" } } } });
    const source = new DataSource({ type: "postgres", url, entities: [Customer, Order], installExtensions: false, driver: use("pg") });
    await source.initialize();
    const mark = (label) => source.query(`/*@@ ${label} */ select 1`);
    await mark("introspection and the comparison of schemas");
    const runner = source.createQueryRunner();
    await runner.getTables(["orders", "customers", "stock.moves"]); await runner.getViews([]); await runner.hasTable("orders"); await runner.hasColumn("orders", "id"); await runner.getSchemas(); await runner.getDatabases().catch(() => 0); await runner.getCurrentSchema(); await runner.getCurrentDatabase();
    await runner.release();
    await mark("ordinary work");
    const orders = source.getRepository("orders");
    await orders.find({ where: { id: In([1, 2]) }, relations: { customer: true } }); await orders.findAndCount({ skip: 10, take: 5, order: { placed: "DESC" }, relations: { customer: true } }); await orders.findOneBy({ id: 1 }); await orders.existsBy({ status: "paid" });
    await orders.createQueryBuilder("o").leftJoinAndSelect("o.customer", "c").where("o.status = :s", { s: "paid" }).orderBy("o.id").take(3).getMany(); await source.query("select 1");
    await source.transaction(async (t) => { await t.save(Order, { status: "placed", placed: new Date(0), customer: { id: 1 } }); await t.update(Order, { id: 1 }, { status: "paid" }); await t.getRepository(Order).findOne({ where: { id: 1 }, lock: { mode: "pessimistic_write" } }); });
    await orders.upsert({ id: 3, status: "paid", placed: new Date(0), customer: { id: 1 } }, ["id"]); await source.destroy();
  },
  async drizzle() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "drizzle-"));
    fs.symlinkSync(home, path.join(folder, "node_modules"));
    fs.writeFileSync(path.join(folder, "drizzle.config.json"), JSON.stringify({ dialect: "postgresql", out: "./out", dbCredentials: { url }, schemaFilter: ["public", "stock"] }));
    child.execFileSync(process.execPath, [path.join(home, "drizzle-kit", "bin.cjs"), "introspect", "--config", "drizzle.config.json"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    fs.rmSync(folder, { recursive: true });
  },
};

programs[process.argv[2]]().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
