"""A small file system of its own, which can be filled, emptied and broken: ext4 in a file on a loop device, or tmpfs.

Mounts live in a mount namespace of the test's own (see enter_namespace), so whatever happens they end with it.
"""
import os
import pathlib
import shutil
import subprocess
import sys

MARK = "MOLDAU_DISK_NAMESPACE"


def enter_namespace():
    """Goes on in a mount namespace of its own. Gives a sentence if that cannot be had."""
    if os.environ.get(MARK):
        return None
    if os.geteuid() != 0:
        return "mounting needs root"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        return "this machine allows no mount namespace"
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


class Volume:
    def __init__(self, folder, name, size_mb):
        self.path = pathlib.Path(folder) / name
        self.path.mkdir(parents=True)
        self.kind = None
        self.image = image = pathlib.Path(folder) / f"{name}.img"
        with open(image, "wb") as file:
            file.truncate(size_mb << 20)
        # No blocks kept for root, who this is: full is full.
        if shutil.which("mkfs.ext4") and not subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], capture_output=True).returncode \
                and not subprocess.run(["mount", "-o", "loop", image, self.path], capture_output=True).returncode:
            self.kind = "ext4"
        elif not subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "moldau-test", self.path], capture_output=True).returncode:
            self.kind = "tmpfs"
        else:
            raise SystemExit("disk: 0 passed, 0 failed (skipped: neither a loop device nor a tmpfs can be mounted)")

    @property
    def ballast(self):
        return self.path / "ballast"

    def free_bytes(self):
        space = os.statvfs(self.path)
        return space.f_bavail * space.f_frsize

    def fill(self, leave_bytes=0):
        """Takes all room but so much."""
        with open(self.ballast, "ab") as file:
            for block in (1 << 20, 4096):
                while self.free_bytes() >= leave_bytes + block:
                    try:
                        file.write(b"x" * block)
                        file.flush()
                    except OSError:
                        break

    def make_room(self):
        self.ballast.unlink(missing_ok=True)

    def break_down(self):
        """From now on nothing can be written: ext4 as after a failed journal, tmpfs read only."""
        option = "remount,abort" if self.kind == "ext4" else "remount,ro"
        return subprocess.run(["mount", "-o", option, self.path], capture_output=True).returncode == 0

    def mend(self):
        """Mounts it anew, as after a repair; nobody may use it meanwhile."""
        if self.kind == "ext4":
            subprocess.run(["umount", self.path], check=True)
            subprocess.run(["e2fsck", "-fy", self.image], capture_output=True)
            subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)
        else:
            subprocess.run(["mount", "-o", "remount,rw", self.path], check=True)

    def close(self):
        subprocess.run(["umount", "--lazy", self.path], capture_output=True)
