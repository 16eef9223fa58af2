import pytest

from segmentation_assets.cli.main import main
from segmentation_assets.cli.parser import build_parser


def parse(*arguments):
    return build_parser().parse_args(arguments)


def test_run_takes_all_by_default():
    parsed = parse("run")
    assert (parsed.month, parsed.months, parsed.only, parsed.skip, parsed.force) == (None, None, None, [], False)
    assert (parsed.profile, parsed.config, parsed.env, parsed.log_level) == (None, None, None, "info")


def test_init_writes_the_usual_settings_file_and_replaces_none():
    parsed = parse("init", "a.csv", "b.csv")
    assert ([str(path) for path in parsed.files], str(parsed.output)) == (["a.csv", "b.csv"], "segmentation.yaml")
    assert parsed.force is False


def test_tune_makes_a_hundred_trials_on_five_folds_and_takes_the_seed_of_the_settings():
    parsed = parse("tune", "--model", "churn")
    assert (parsed.trials, parsed.cv_folds, parsed.month, parsed.seed) == (100, 5, None, None)
    assert parse("tune", "--model", "churn", "--seed", "0").seed == 0


@pytest.mark.parametrize("text", ["2025-06", "2025-06-01"])
def test_month_is_a_partition_key_however_it_is_written(text):
    assert parse("run", "--month", text).month == "2025-06-01"


def test_layers_and_algorithms_can_be_repeated():
    parsed = parse("run", "--only", "raw", "--only", "gold/champion", "--skip", "kmeans", "--skip", "other")
    assert (parsed.only, parsed.skip) == (["raw", "gold/champion"], ["kmeans", "other"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("rum",), "invalid choice: 'rum'"),
        (("run", "--month", "2025-13"), "'2025-13' is not a month; write YYYY-MM"),
        (("run", "--month", "2025-06-02"), "'2025-06-02' is not a month"),
        (("run", "--month", "٢٠٢٥-06"), "is not a month"),
        (("run", "--months", "0"), "'0' is not a whole number above zero"),
        (("run", "--customers", "1.5"), "'1.5' is not a whole number above zero"),
        (("run", "--log-level", "loud"), "invalid choice: 'loud'"),
        (("run", "extra"), "unrecognized arguments: extra"),
        (("init",), "the following arguments are required: FILE"),
        (("config",), "the following arguments are required: ACTION"),
        (("tune",), "the following arguments are required: --model"),
        (("tune", "--model", "churn", "--cv-folds", "1"), "1 folds cannot be made; ask for 2 to 20"),
        (("tune", "--model", "churn", "--trials", "0"), "'0' is not a whole number above zero"),
    ],
)
def test_wrong_usage_ends_with_code_2_and_says_why(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert message in printed.err
    assert printed.out == ""


def test_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out.split()[0]) == (0, "segmentation")
