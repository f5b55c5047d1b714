"""A profile whose units go to customers, and the product client that makes them."""

from __future__ import annotations

from line_bench import ME, PRODUCTS, LineBench, Recipe, replace

SECRET = "SHOP_SECRET"
CLIENT = "shop-1"
SHOPS = "customers.example.com"
BY_CODE = 'claim_by = "code"'


def for_customers(recipe: Recipe, email: str = f"unit-{{id}}@{SHOPS}", *more: str) -> Recipe:
    """``recipe`` with a section [customer]; ``more``: further lines of it."""
    lines = ["[customer]", f'email = "{email}"', f'client_id = "{CLIENT}"', f'client_secret = "env:{SECRET}"', *more]
    return replace(recipe, online=True, more="\n".join(lines))


def open_shop(bench: LineBench, recipe: Recipe, product: int | None = None) -> None:
    """Make a client of the recipe's product, or of ``product``, and walk units by ``recipe`` from now on."""
    number = product or recipe.product or PRODUCTS[recipe.platform]
    _, secret = bench.cloud.create_client(CLIENT, ME, number)
    bench.environ[SECRET] = secret.reveal()
    bench._secrets.append(secret.reveal())
    bench.restart(recipe)
