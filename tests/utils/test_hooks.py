"""Handles that remove hooks."""

from __future__ import annotations

import pickle
from collections import OrderedDict

from kagari.utils.hooks import RemovableHandle, unserializable_hook


def test_removes_once():
    registry, extra = OrderedDict(), OrderedDict()
    handle = RemovableHandle(registry, extra_dict=extra)
    other = RemovableHandle(registry)
    assert other.id == handle.id + 1
    registry[handle.id] = extra[handle.id] = print
    registry[other.id] = print
    handle.remove()
    handle.remove()
    assert list(registry) == [other.id]
    assert not extra


def test_several_extra_registries():
    registry, extra = OrderedDict(), [OrderedDict(), OrderedDict()]
    with RemovableHandle(registry, extra_dict=extra) as handle:
        for d in (registry, *extra):
            d[handle.id] = print
    assert not any((registry, *extra))


def test_outlives_its_registry():
    handle = RemovableHandle(OrderedDict())
    handle.remove()


def test_pickle():
    registry = OrderedDict()
    handle = RemovableHandle(registry)
    registry[handle.id] = "hook"
    kept, copy = pickle.loads(pickle.dumps((registry, handle)))
    assert kept == {handle.id: "hook"}
    copy.remove()
    assert not kept
    lonely = pickle.loads(pickle.dumps(RemovableHandle(OrderedDict())))
    lonely.remove()
    assert RemovableHandle.next_id > lonely.id


def test_unserializable():
    def hook(grad):
        return grad

    assert unserializable_hook(hook) is hook
    assert hook.__torch_unserializable__
