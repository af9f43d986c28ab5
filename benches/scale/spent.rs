//! What a process has used, where the system reports it: CPU time, memory, and how long its threads waited
//! for a processor.

use std::fs;
use std::time::Duration;

/// CPU seconds and the peak of memory in MiB, as texts; `-` where it is not reported.
pub fn spent(process: &str) -> (String, String) {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let behind_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: Vec<f64> = behind_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let cpu = if ticks.is_empty() { "-".into() } else { format!("{:.2}", ticks.iter().sum::<f64>() / 100.0) };
    (cpu, peak.map_or_else(|| "-".into(), |kib| format!("{:.1}", kib / 1024.0)))
}

/// How long the threads of these names were ready to run and had no processor.
pub fn waited(process: &str, names: &[&str]) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let delays = threads.filter_map(|thread| {
        let read = |file: &str| fs::read_to_string(thread.path().join(file)).ok();
        let is_meant = names.contains(&read("comm")?.trim_end());
        let delay = read("schedstat")?.split(' ').nth(1)?.parse().ok();
        delay.filter(|_| is_meant).map(Duration::from_nanos)
    });
    delays.sum()
}
