from signaling.relay import DropLogin, EndCall, LocalRelay, Order, Unseat


async def test_orders_reach_every_receiver_in_order() -> None:
    relay = LocalRelay()
    heard: list[Order] = []

    async def receive(order: Order) -> None:
        heard.append(order)

    relay.attach(receive)
    relay.attach(receive)
    orders: list[Order] = [
        EndCall(call="c", reason="completed"),
        Unseat(call="c", seat="room", reason="x"),
        DropLogin(login="l"),
    ]
    for order in orders:
        await relay.spread(order)

    assert heard == [order for order in orders for _ in range(2)]


async def test_a_ticket_is_used_once_and_forgotten_when_it_has_expired() -> None:
    relay = LocalRelay()

    assert await relay.use_ticket("a", 60.0, 0.0) is True
    assert await relay.use_ticket("b", 70.0, 10.0) is True
    assert await relay.use_ticket("a", 60.0, 59.0) is False
    assert await relay.use_ticket("a", 120.0, 60.0) is True
    assert await relay.use_ticket("b", 70.0, 60.0) is False
