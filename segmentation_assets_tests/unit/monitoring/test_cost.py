from segmentation_assets.monitoring.cost import CostMeter


def test_cost_counts_time_and_the_memory_touched_since_the_start():
    meter = CostMeter()
    before = meter.read()
    block = bytearray(64 * 1024 * 1024)
    block[::4096] = b"x" * len(block[::4096])
    after = meter.read()
    assert after.cpu_seconds >= before.cpu_seconds
    assert after.wall_seconds > before.wall_seconds
    if after.peak_megabytes is not None and before.peak_megabytes is not None:
        assert after.peak_megabytes >= before.peak_megabytes + 50
        del block
        assert CostMeter().read().peak_megabytes < after.peak_megabytes
