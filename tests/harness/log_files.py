"""What kafka-dump-log says about the files of a log directory."""
import pathlib
import re


def faults_in_files(tools, data, files_at_once=40):
    """Every complaint of kafka-dump-log about the segments, indexes and snapshots of the log directory `data`."""
    data = pathlib.Path(data)
    faults = []

    def dump(files, *options):
        for at in range(0, len(files), files_at_once):
            answer = tools.run("kafka-dump-log", "--files", ",".join(map(str, files[at:at + files_at_once])), *options)
            said = answer.out + answer.err
            if answer.code:
                faults.append(f"code {answer.code}: {said[-600:]}")
            for line in said.splitlines():
                if "isvalid: false" in line or re.search(r"Found (?!0 )|Mismatch|[Cc]orrupt|invalid bytes|Exception|Index offset|Error", line):
                    faults.append(line[:300])

    logs = sorted(data.glob("*-*/*.log"))
    dump([f for f in logs if f.stat().st_size])
    dump([f for f in sorted(data.glob("*-*/*.index")) if f.stat().st_size], "--index-sanity-check")
    dump([f for f in sorted(data.glob("*-*/*.timeindex")) if f.stat().st_size and f.with_suffix(".log").stat().st_size], "--index-sanity-check")
    dump(sorted(data.glob("*-*/*.snapshot")))
    return faults
