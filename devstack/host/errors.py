"""What can go wrong before the host serves anything.

HostError
├── IndexingError         the app cannot be imported or a function is declared wrongly
├── UnsupportedBinding    a binding that this host does not have
└── SettingError          an app setting or host.json value that is missing or cannot be read
"""


class HostError(Exception):
    """A plain sentence for the person who started the host; it ends the host with exit code 1."""


class IndexingError(HostError):
    """The app cannot be imported, or a function of it is declared wrongly."""


class UnsupportedBinding(HostError):
    """A binding that this host does not have."""


class SettingError(HostError):
    """An app setting or a host.json value that is missing or cannot be read."""
