#include "config/load.h"

#include "config/value_internal.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <fstream>
#include <set>

namespace tessera {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

MATCHER_P2(Problem, where, message, "") {
    *result_listener << arg.where << ": " << arg.message;
    return arg.where == where && testing::Matches(HasSubstr(std::string(message)))(arg.message);
}

std::string first_problem(std::string_view toml) {
    const auto loaded = load_config_text(toml, "farm.toml");
    return loaded.problems.empty() ? ""
                                   : loaded.problems[0].where + ": " + loaded.problems[0].message;
}

TEST(ConfigTest, ReadsEveryKindOfValue) {
    const auto loaded = load_config_text(
        "[server]\n"
        "listen = \"0.0.0.0\"\n"
        "port = 8080\n"
        "cors_origins = [\"https://a.example\", \"https://b.example\"]\n"
        "requests_per_second = 5\n"
        "max_upload = \"5MiB\"\n"
        "[farm]\n"
        "lease = \"2s\"\n"
        "heartbeat = \"400ms\"\n"
        "policy = \"power_of_two\"\n"
        "[worker]\n"
        "checkpoint_share = 0.25\n"
        "local = false\n",
        "farm.toml"
    );
    EXPECT_THAT(loaded.problems, IsEmpty());
    EXPECT_EQ(loaded.config.server.listen, "0.0.0.0");
    EXPECT_EQ(loaded.config.server.port, 8080);
    EXPECT_THAT(
        loaded.config.server.cors_origins, ElementsAre("https://a.example", "https://b.example")
    );
    EXPECT_EQ(loaded.config.server.requests_per_second, 5.0);
    EXPECT_EQ(loaded.config.server.max_upload, 5 * kMiB);
    EXPECT_EQ(loaded.config.farm.lease, Duration(std::chrono::seconds(2)));
    EXPECT_EQ(loaded.config.farm.policy, "power_of_two");
    EXPECT_EQ(loaded.config.worker.checkpoint_share, 0.25);
    EXPECT_FALSE(loaded.config.worker.local);
}

TEST(ConfigTest, NothingSaidIsTheDefaults) {
    const auto loaded = load_config({});
    EXPECT_EQ(loaded.config, Config{});
    EXPECT_THAT(loaded.problems, IsEmpty());
    EXPECT_THAT(loaded.origins, IsEmpty());
}

class ConfigFileTest : public ::testing::Test {
  protected:
    ConfigFileTest() {
        std::string name =
            (std::filesystem::temp_directory_path() / "tessera-config-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    ~ConfigFileTest() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::filesystem::path file(std::string_view text) const {
        std::ofstream(folder_ / "farm.toml") << text;
        return folder_ / "farm.toml";
    }

    std::filesystem::path folder_;
};

TEST_F(ConfigFileTest, FlagsGoOverTheEnvironmentAndThatOverTheFile) {
    const auto path = file(
        "server.port = 1001\n"
        "farm.lease = \"31s\"\n"
        "farm.heartbeat = \"3s\"\n"
    );
    const auto loaded = load_config(
        {.file = path,
         .environment =
             {{"TESSERA_FARM_LEASE", "32s"},
              {"TESSERA_FARM_HEARTBEAT", "4s"},
              {"TESSERA_SERVER_CORS_ORIGINS", "https://a,https://b"},
              {"TESSERA_MODELS", "another part of the program's"},
              {"HOME", "/root"}},
         .settings = {{"farm.heartbeat", "5s"}, {"farm.heartbeat", "6s"}}}
    );
    EXPECT_THAT(loaded.problems, IsEmpty());
    EXPECT_EQ(loaded.config.server.port, 1001);
    EXPECT_EQ(loaded.config.farm.lease, Duration(std::chrono::seconds(32)));
    EXPECT_EQ(loaded.config.farm.heartbeat, Duration(std::chrono::seconds(6)));
    EXPECT_THAT(loaded.config.server.cors_origins, ElementsAre("https://a", "https://b"));
    ASSERT_THAT(loaded.origins, SizeIs(4));
    EXPECT_EQ(loaded.origins[0].key, "server.port");
    EXPECT_EQ(loaded.origins[0].value, "1001");
    EXPECT_EQ(loaded.origins[0].where, path.string() + ":1:8");
    EXPECT_EQ(loaded.origins[2].where, "TESSERA_FARM_LEASE");
    EXPECT_EQ(loaded.origins[3].where, "--set farm.heartbeat");
}

TEST_F(ConfigFileTest, PathsInTheFileAreTakenFromItsFolder) {
    const auto path = file(
        "[server]\ndata = \"here/data\"\n[store]\nfolder = \"/there\"\n[worker]\ntoken_file = "
        "\"\"\n"
    );
    const auto loaded = load_config(
        {.file = path, .environment = {}, .settings = {{"worker.authorities", "own.pem"}}}
    );
    EXPECT_EQ(loaded.config.server.data, folder_ / "here/data");
    EXPECT_EQ(loaded.config.store.folder, "/there");
    EXPECT_EQ(loaded.config.worker.token_file, "");
    EXPECT_EQ(loaded.config.worker.authorities, "own.pem");
}

TEST_F(ConfigFileTest, AFileThatIsNotThereIsAProblem) {
    const auto missing = folder_ / "nothing.toml";
    const auto loaded = load_config({.file = missing, .environment = {}, .settings = {}});
    EXPECT_THAT(loaded.problems, ElementsAre(Problem(missing.string(), "No such file")));
}

TEST(ConfigTest, UnknownKeysAreProblemsWithTheirPlaceAndNearNames) {
    const auto loaded = load_config_text(
        "[server]\n"
        "port = 1\n"
        "prot = 2\n"
        "\n"
        "  [frm]\n"
        "  lease = \"1s\"\n"
        "[zzzzzzzz]\n"
        "nothing_like_it = 1\n",
        "farm.toml"
    );
    EXPECT_THAT(
        loaded.problems,
        ElementsAre(
            Problem("farm.toml:3:1", "did you mean 'server.port'?"),
            Problem("farm.toml:6:3", "did you mean 'farm.lease'?"),
            Problem("farm.toml:8:1", "`tessera config check")
        )
    );
    EXPECT_EQ(loaded.config.server.port, 1);
}

TEST(ConfigTest, UnknownVariablesOfOurSectionsAndFlagsAreProblems) {
    const auto loaded = load_config(
        {.file = {},
         .environment = {{"TESSERA_SERVER_PROT", "1"}, {"TESSERA_DATA_DIR", "/x"}},
         .settings = {{"farm.leas", "1s"}}}
    );
    EXPECT_THAT(
        loaded.problems,
        ElementsAre(
            Problem("TESSERA_SERVER_PROT", "did you mean 'TESSERA_SERVER_PORT'?"),
            Problem("--set farm.leas", "did you mean 'farm.lease'?")
        )
    );
}

TEST(ConfigTest, SaysWhatIsWrongWithAValueAndWhere) {
    const struct {
        const char* toml;
        const char* problem;
    } cases[] = {
        {"[server]\nport = \"80\"",
         "farm.toml:2:1: server.port: it is a text, and an integer is wanted"},
        {"server.port = 65536", "farm.toml:1:8: server.port: 65536 is out of range; 0 to 65535"},
        {"server.port = -1", "0 to 65535"},
        {"server.port = 99999999999", "out of all range"},
        {"server.port = 80.0", "a number with a fraction"},
        {"server.port = 1979-05-27", "a date or time"},
        {"farm.lease = 30",
         "farm.lease: it is an integer, and a duration, like \"30s\", is wanted"},
        {"farm.lease = \"30\"", "'30' is no duration"},
        {"farm.lease = \"1ms\"", "\"200ms\" to \"1d\" are allowed"},
        {"farm.policy = \"fastest\"", "'fastest' is none of earliest_finish, round_robin"},
        {"store.max_size = \"much\"", "'much' is no size"},
        {"worker.local = \"yes\"", "it is a text, and true or false is wanted"},
        {"server.hosts = \"a\"", "a list of texts"},
        {"server.hosts = [\"a\", 1]", "a list of other things than texts"},
        {"worker.checkpoint_share = nan", "a finite number"},
        {"worker.node = \"a\\u0000b\"", "has a zero in it"},
        {"server = 1", "farm.toml:1:1: 'server' is a section"},
        {"[server]\nport = ", "farm.toml:2:"},
        {"[server]\nport = 1\nport = 2\n", "this is no TOML"},
        {"\xff", "this is no TOML"},
    };
    for (const auto& each : cases) {
        EXPECT_THAT(first_problem(each.toml), HasSubstr(each.problem)) << each.toml;
    }
}

TEST(ConfigTest, WordsFromOutsideAreReadAsTheirKeysType) {
    const auto loaded = load_config(
        {.file = {},
         .environment = {},
         .settings =
             {{"server.port", "8080"},
              {"worker.local", "false"},
              {"worker.checkpoint_share", "0.5"},
              {"server.hosts", ""},
              {"worker.node", "7"}}}
    );
    EXPECT_THAT(loaded.problems, IsEmpty());
    EXPECT_EQ(loaded.config.server.port, 8080);
    EXPECT_FALSE(loaded.config.worker.local);
    EXPECT_EQ(loaded.config.worker.checkpoint_share, 0.5);
    EXPECT_EQ(loaded.config.worker.node, "7");
    const auto wrong = load_config(
        {.file = {},
         .environment = {{"TESSERA_SERVER_PORT", "80 "}},
         .settings = {{"worker.local", "1"}}}
    );
    EXPECT_THAT(
        wrong.problems,
        ElementsAre(
            Problem("TESSERA_SERVER_PORT", "it is '80 ', and an integer is wanted"),
            Problem("--set worker.local", "it is '1', and true or false is wanted")
        )
    );
}

TEST(ConfigTest, SeesWhatDoesNotGoTogether) {
    EXPECT_THAT(
        first_problem("farm.lease = \"6s\""), HasSubstr("more than half of farm.lease (\"6s\")")
    );
    EXPECT_THAT(
        first_problem("[server]\ntls_key = \"key.pem\""),
        HasSubstr("farm.toml:2:1: server.tls_cert")
    );
    EXPECT_THAT(
        first_problem("farm.retry_first_pause = \"1h\""), HasSubstr("farm.retry_longest_pause")
    );
}

TEST(ConfigTest, RequireGivesTheFirstProblemAndCountsTheRest) {
    const auto config = require_config(
        {.file = {}, .environment = {}, .settings = {{"server.port", "x"}, {"a", "1"}, {"b", "2"}}}
    );
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(
        config.error().message, AllOf(HasSubstr("--set server.port: "), HasSubstr("(2 more"))
    );
    EXPECT_TRUE(require_config({}));
}

TEST(ConfigTest, EveryKeyIsDescribedAndHasAPlaceOfItsOwn) {
    std::set<std::string> names;
    std::set<std::string> variables;
    for (const KeyDescription& key : describe_config()) {
        EXPECT_TRUE(names.insert(key.name).second) << key.name;
        EXPECT_TRUE(variables.insert(key.environment).second) << key.environment;
        EXPECT_FALSE(key.type.empty()) << key.name;
        EXPECT_FALSE(key.default_value.empty()) << key.name;
        EXPECT_THAT(key.help, testing::EndsWith(".")) << key.name;
    }
    EXPECT_GT(names.size(), 60U);
}

TEST(ConfigTest, NoTwoKeysStandForOneMember) {
    // A key that is set to another value changes what it shows, and nothing that another one shows.
    const std::vector<ConfigValue> values{
        false,
        true,
        std::int64_t{123},
        std::int64_t{5000},
        0.625,
        std::string("always"),
        std::string("random"),
        std::string("error"),
        std::string("json"),
        std::string("17m"),
        std::string("17MiB"),
        std::string("17KiB"),
        std::vector<std::string>{"x"},
    };
    const Config defaults{};
    for (const ConfigKey& key : config_keys()) {
        Config changed;
        for (const ConfigValue& value : values) {
            if (key.set(changed, value, {}) && !(changed == defaults)) {
                break;
            }
        }
        EXPECT_FALSE(changed == defaults) << key.name << " could not be set";
        for (const ConfigKey& other : config_keys()) {
            EXPECT_EQ(other.show(changed) != other.show(defaults), &other == &key)
                << key.name << " and " << other.name;
        }
    }
}

TEST(ConfigTest, TheExampleSaysTheDefaults) {
    std::string example = example_config();
    EXPECT_EQ(load_config_text(example, "example").config, Config{});
    std::string uncommented;
    for (std::size_t at = 0; at < example.size();) {
        const std::size_t end = example.find('\n', at);
        const std::string line = example.substr(at, end - at);
        const bool is_value = line.size() > 1 && line[0] == '#' && line[1] != ' ';
        uncommented += (is_value ? line.substr(1) : line) + "\n";
        at = end + 1;
    }
    const auto loaded = load_config_text(uncommented, "example");
    EXPECT_THAT(loaded.problems, IsEmpty());
    EXPECT_EQ(loaded.config, Config{});
    EXPECT_EQ(loaded.origins.size(), describe_config().size());
}

TEST(ConfigTest, WhatIsShownReadsTheSame) {
    EXPECT_TRUE(rc::check([] {
        // Texts of any characters but zero, in UTF-8.
        std::string text;
        for (int i = *rc::gen::inRange(0, 20); i > 0; --i) {
            text += *rc::gen::element<std::string>(
                "a", "\"", "\\", "\n", "\t", "\x01", "\x7f", "é", "雪", "#", "'", " ", "{}"
            );
        }
        const double share = *rc::gen::inRange(0, 1000) / 999.0;
        Config config;
        config.worker.node = text;
        config.server.hosts = {text, "b", text};
        config.worker.checkpoint_share = share;
        std::string toml;
        for (const ConfigKey& key : config_keys()) {
            toml += key.name + " = " + key.show(config) + "\n";
        }
        const auto loaded = load_config_text(toml, "shown");
        RC_ASSERT(loaded.problems.empty());
        RC_ASSERT(loaded.config == config);
    }));
}

TEST(ConfigTest, ANumberOfNestedTablesEndsWithAProblem) {
    EXPECT_THAT(first_problem("a = " + std::string(100'000, '[')), HasSubstr("this is no TOML"));
    EXPECT_THAT(first_problem("[server.port.deep]\nx = 1\n"), HasSubstr("server.port"));
}

}  // namespace
}  // namespace tessera
