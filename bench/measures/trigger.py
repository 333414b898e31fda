from bench.options import Options
from bench.report import Result


def measure(options: Options) -> Result:
    raise NotImplementedError
