from tests.worlds import shared_world


@shared_world
def reference():
    """The reference data of the package."""
    from opsdb.loaders.reference import load_reference

    return load_reference()
