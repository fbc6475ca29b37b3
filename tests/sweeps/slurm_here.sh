#!/bin/sh
# A SLURM of one node on this machine, in the folder $1: munge, slurmctld, slurmd. Needs root, and
# Debian's packages slurm-wlm and munge. Afterwards SLURM_CONF=$1/slurm.conf; stop it with
# `slurm_here.sh $1 stop`.
set -eu

folder=$1
host=$(hostname -s)

if [ "${2:-start}" = stop ]; then
    for name in slurmd slurmctld; do
        [ ! -f "$folder/$name.pid" ] || kill "$(cat "$folder/$name.pid")" || true
    done
    exit
fi
mkdir -p "$folder/spool" "$folder/state"
if ! munge -n >/dev/null 2>&1; then
    mkdir -p /run/munge
    [ -f /etc/munge/munge.key ] || mungekey --create
    chown -R munge /etc/munge /run/munge /var/log/munge /var/lib/munge
    su -s /bin/sh munge -c munged
fi
cat >"$folder/slurm.conf" <<END
ClusterName=reverie
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${SLURM_HERE_PORT:-16817}
SlurmdPort=${SLURM_HERE_NODE_PORT:-16818}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
SchedulerParameters=sched_interval=5,bf_interval=5
KillWait=30
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=low Nodes=$host Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=60
PartitionName=high Nodes=$host MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
END
export SLURM_CONF="$folder/slurm.conf"
slurmctld
slurmd
for _ in $(seq 60); do
    if sinfo --noheader --format=%t | grep -q '^\(idle\|mix\)$'; then
        exit
    fi
    sleep 0.5
done
echo "SLURM did not start; see $folder/slurmctld.log and $folder/slurmd.log" >&2
exit 1
