"""python3 -m tangram_plots: what `tangram plot` and `tangram report` start."""
import sys

PACKAGES = "python3-matplotlib python3-h5py python3-pandas"


def run():
    try:
        from tangram_plots import command
    except ImportError as error:
        print(f"error: {sys.executable}: {error}; plots need the Debian packages {PACKAGES}: install "
              f"them with apt-get install {PACKAGES}, or name another Python in TANGRAM_PYTHON",
              file=sys.stderr)
        return 3
    return command.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
