# ActiveRecord: a schema dump, what models ask of their tables, and what an application does with them.
require "logger"
require "active_record"
require "stringio"

ActiveRecord::Base.establish_connection(adapter: "postgresql", host: ENV["PGHOST"], port: ENV["PGPORT"], username: ENV["PGUSER"], password: ENV["PGPASSWORD"], database: ENV["PGDATABASE"], prepared_statements: ARGV[0] != "simple")
$c = ActiveRecord::Base.connection
def mark(label) = $c.raw_connection.exec("/*@@ #{label} */ select 1")

if ARGV[0] == "migrate"
  mark "migration"
  ActiveRecord::SchemaMigration.create_table
  ActiveRecord::InternalMetadata.create_table
  ActiveRecord::InternalMetadata[:environment] = "production"
  class AddReturns < ActiveRecord::Migration[6.1]
    def change
      create_table(:returns) { |t| t.references :order, foreign_key: true; t.text :why, null: false; t.timestamps }
      add_index :returns, :why
      add_column :returns, :closed, :boolean, default: false
    end
  end
  context = ActiveRecord::MigrationContext.new("/nonexistent", ActiveRecord::SchemaMigration)
  ActiveRecord::Migrator.new(:up, [AddReturns.new("AddReturns", 1)], ActiveRecord::SchemaMigration).migrate
  mark "release of a migration"
  $c.drop_table(:returns) rescue nil
  exit
end

mark "schema dump"
ActiveRecord::SchemaDumper.dump($c, StringIO.new)
mark "introspection"
$c.tables; $c.views; $c.data_sources; $c.extensions; $c.enum_types if $c.respond_to?(:enum_types)
%w[orders customers order_items stock.shelves customer_overview].each do |t|
  $c.columns(t); $c.indexes(t); $c.foreign_keys(t); $c.primary_keys(t); $c.table_options(t); $c.table_exists?(t); $c.data_source_exists?(t)
  $c.check_constraints(t) if $c.supports_check_constraints?
  $c.pk_and_sequence_for(t); $c.default_sequence_name(t) rescue nil
end
$c.schema_names; $c.current_database; $c.current_schema; $c.encoding; $c.collation; $c.ctype; $c.schema_exists?("stock"); $c.database_version; $c.index_name_exists?("orders", "orders_customer")

class Customer < ActiveRecord::Base; has_many :orders; end
class Product < ActiveRecord::Base; end
class Order < ActiveRecord::Base; belongs_to :customer; has_many :items, class_name: "Item"; end
class Item < ActiveRecord::Base
  self.table_name = "order_items"
  belongs_to :order; belongs_to :product
end

mark "find, where, order, page"
Order.find(1); Customer.find(1); Customer.find_by(id: 2); Order.where(status: "paid").order(placed: :desc, id: :asc).limit(10).offset(20).to_a
Order.where(id: [1, 2, 3]).to_a; Order.where.not(status: %w[paid placed]).pluck(:id, :status); Order.first; Order.last; Order.take
Product.where("name ILIKE ?", "%a%").select(:id, :sku).to_a; Product.where("tags @> ARRAY[?]", "new").to_a; Order.where(placed: Time.utc(2026)..).ids
mark "what belongs together"
Order.includes(:customer, items: :product).limit(10).to_a; Order.eager_load(:customer, :items).where("order_items.quantity > 1").limit(5).to_a
Order.joins(:items).group("orders.status").count; Customer.find(3).orders.to_a; Customer.left_joins(:orders).group(:id).limit(5).count("orders.id")
mark "aggregates"
Order.count; Order.exists?(status: "paid"); Order.group(:status).count; Order.maximum(:placed); Item.sum("quantity * price_cents"); Order.distinct.pluck(:status); Order.where(id: 1).explain
Order.in_batches(of: 1000).each { |b| b.ids.size }; Order.find_each(batch_size: 2000) { }
mark "people"
Customer.where(email: "nobody@example.com").to_a; Customer.order(:name).limit(3).to_a; Customer.limit(3).to_a; Customer.where("preferences ->> 'language' = ?", "en").ids
mark "writing"
Order.transaction do
  o = Order.create!(customer_id: 1, status: "placed", placed: Time.utc(2026))
  o.update!(status: "paid"); o.touch(:placed); o.lock!
  Order.transaction(requires_new: true) { Order.where(id: 2).update_all(status: "paid") }
end
Order.insert_all([{ customer_id: 1, status: "placed", placed: Time.utc(2026) }]); Order.upsert({ id: 3, customer_id: 1, status: "paid", placed: Time.utc(2026) })
Item.where(order_id: 6, line: 1).delete_all; Order.lock("FOR UPDATE SKIP LOCKED").where("id < 4").to_a
$c.execute("SELECT 1"); $c.active?; $c.reset!
$c.with_advisory_lock(1) { } rescue $c.get_advisory_lock(1) && $c.release_advisory_lock(1)
