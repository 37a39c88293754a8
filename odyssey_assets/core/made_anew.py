"""Models made anew: what stands in for a stored model whose file was altered.

An altered model is never loaded and never removed. The same model is made again and kept beside
it, under a name that says so. Signing belongs to whoever keeps models, making them to the domains.
"""

from collections.abc import Sequence

from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.errors import ModelError

MADE_ANEW = "-anew"
"""Ends the name of a model that stands in for one whose file was altered."""


def find_whole(
    store: ModelStore, name_parts: Sequence[str]
) -> tuple[tuple[str, ...], StoredModel | None]:
    """Return the model of that name; where its file was altered, the one made anew.

    Returns:
        The name under which the model is kept, or is to be kept, and the model; None: it is not
        there.

    Raises:
        ModelError: The one made anew has been altered too.
    """
    name = tuple(name_parts)
    try:
        return name, store.find(name)
    except ModelError:
        if name[-1].endswith(MADE_ANEW):
            raise
        anew = (*name[:-1], name[-1] + MADE_ANEW)
        return anew, store.find(anew)
