"""Django: inspectdb and introspection, migrate, and what an application and its admin do with models."""

import io
import os
import sys
import types

import django
from django.conf import settings

shop = types.ModuleType("shop")
shop.__path__ = [os.path.dirname(__file__)]
sys.modules["shop"] = shop
settings.configure(
    DEBUG=False,
    SECRET_KEY="x",
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"]
    if sys.argv[1] == "migrate"
    else ["shop"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
        }
    },
)
django.setup()
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q, Subquery, Sum, Window
from django.db.models.functions import RowNumber, TruncMonth


def mark(label):
    with connection.cursor() as cursor:
        cursor.execute(f"/*@@ {label} */ select 1")


if sys.argv[1] == "migrate":
    mark("migrate")
    call_command("migrate", stdout=io.StringIO())
    mark("showmigrations")
    call_command("showmigrations", stdout=io.StringIO())
    sys.exit()

mark("inspectdb")
call_command("inspectdb", stdout=io.StringIO())
call_command("inspectdb", include_views=True, include_partitions=True, stdout=io.StringIO())
mark("introspection")
with connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor, include_views=True):
        connection.introspection.get_table_description(cursor, table)
        connection.introspection.get_sequences(cursor, table)
        connection.introspection.get_relations(cursor, table)
        connection.introspection.get_constraints(cursor, table)
        connection.introspection.get_primary_key_columns(cursor, table)


class Customer(models.Model):
    name = models.TextField()
    email = models.TextField()
    preferences = models.JSONField()
    created = models.DateTimeField()

    class Meta:
        app_label, managed, db_table = "shop", False, "customers"


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    status = models.TextField()
    placed = models.DateTimeField()

    class Meta:
        app_label, managed, db_table = "shop", False, "orders"


class Product(models.Model):
    sku = models.TextField()
    name = models.TextField()
    price_cents = models.IntegerField()
    stock = models.IntegerField()

    class Meta:
        app_label, managed, db_table = "shop", False, "products"


class Item(models.Model):
    pk = models.CompositePrimaryKey("order_id", "line")
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    line = models.SmallIntegerField()
    product = models.ForeignKey(Product, models.CASCADE)
    quantity = models.IntegerField()
    price_cents = models.IntegerField()

    class Meta:
        app_label, managed, db_table = "shop", False, "order_items"


mark("get, filter, order, page")
Order.objects.get(pk=1)
Customer.objects.get(pk=1)
list(Order.objects.filter(status="paid").order_by("-placed", "pk")[20:30])
list(Order.objects.filter(pk__in=[1, 2, 3]))
Order.objects.in_bulk([4, 5])
list(Order.objects.exclude(status__in=["paid"]).values_list("pk", "status")[:5])
list(Product.objects.filter(name__icontains="a", stock__gt=0).only("sku")[:5])
list(Product.objects.filter(Q(sku__startswith="A") | Q(sku__iexact="b")).defer("name"))
Order.objects.first(), Order.objects.last(), Order.objects.latest("placed")
list(Order.objects.dates("placed", "month")[:3])
list(Order.objects.filter(placed__year=2026, placed__date__gte="2026-01-01")[:3])
mark("admin's change list")
Order.objects.count()
list(Order.objects.select_related("customer").order_by("-pk")[:100])
list(Order.objects.values_list("status", flat=True).distinct())
list(Product.objects.filter(Q(sku__icontains="x") | Q(name__icontains="x")).order_by("-pk")[:100])
mark("what belongs together")
list(
    Order.objects.select_related("customer").prefetch_related(
        Prefetch("items", Item.objects.select_related("product"))
    )[:10]
)
list(Customer.objects.prefetch_related("orders__items")[:5])
list(Customer.objects.get(pk=2).orders.all())
mark("aggregates")
Order.objects.filter(status="x").exists()
Order.objects.aggregate(Max("placed"), Count("pk"))
list(Order.objects.values("status").annotate(n=Count("pk")).filter(n__gt=1).order_by("-n"))
list(Order.objects.annotate(total=Sum(F("items__quantity") * F("items__price_cents"))).order_by("-total")[:5])
list(Customer.objects.annotate(n=Count("orders")).values("pk", "n")[:5])
list(Order.objects.annotate(month=TruncMonth("placed")).values("month").annotate(n=Count("pk")).order_by("month"))
list(Customer.objects.filter(Exists(Order.objects.filter(customer=OuterRef("pk"), status="paid"))).values("pk")[:5])
list(
    Customer.objects.annotate(
        last=Subquery(Order.objects.filter(customer=OuterRef("pk")).order_by("-placed").values("placed")[:1])
    ).values("pk", "last")[:5]
)
list(
    Order.objects.annotate(place=Window(RowNumber(), partition_by=[F("customer")], order_by="placed")).values(
        "pk", "place"
    )[:5]
)
list(
    Order.objects.filter(status="paid")
    .values("pk")
    .union(Order.objects.filter(status="placed").values("pk"))
    .order_by("pk")[:5]
)
Order.objects.filter(pk=1).explain()
mark("people")
list(Customer.objects.filter(email="nobody@example.com"))
list(Customer.objects.order_by("name")[:3])
list(Customer.objects.all()[:3])
list(Customer.objects.filter(preferences__newsletter=True).values("pk"))
mark("iterator (a cursor of the server)")
for _ in Order.objects.iterator(chunk_size=1000):
    pass
mark("writing")
with transaction.atomic():
    order = Order.objects.create(customer_id=1, status="placed", placed="2026-01-01T00:00:00Z")
    order.status = "paid"
    order.save()
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=1)
    Order.objects.filter(pk=order.pk).update(status=F("status"))
with transaction.atomic():
    Order.objects.get_or_create(pk=3, defaults={"customer_id": 1, "status": "paid", "placed": "2026-01-01T00:00:00Z"})
    Order.objects.update_or_create(pk=3, defaults={"status": "paid"})
    list(Order.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk__lt=4))
Order.objects.bulk_create([Order(customer_id=1, status="placed", placed="2026-01-01T00:00:00Z") for _ in range(3)])
Order.objects.bulk_create(
    [Order(pk=3, customer_id=1, status="paid", placed="2026-01-01T00:00:00Z")],
    update_conflicts=True,
    unique_fields=["id"],
    update_fields=["status"],
)
Order.objects.bulk_update(Order.objects.filter(pk__in=[1, 2]), ["status"])
Item.objects.filter(order_id=8, line=1).delete()
mark("database functions")
connection.close()
connection.ensure_connection()
connection.is_usable()
connection.pg_version
