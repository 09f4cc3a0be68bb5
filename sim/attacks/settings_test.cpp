#include "sim/attacks/settings.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sim/attacks/scenario.hpp"

namespace opp2p::sim::attacks {
namespace {

std::string refusal_of(std::vector<std::string> assignments) {
  Settings settings;
  const auto done = apply_settings(settings, assignments);
  return done ? std::string() : done.error().text();
}

TEST(SettingsTest, every_setting_is_read_back_as_it_is_written) {
  for (const auto& setting : all_settings()) {
    SCOPED_TRACE(setting.name);
    Settings settings;
    const auto before = value_text(settings, setting);
    const std::vector<std::string> same = {std::string(setting.name) + "=" + before};
    ASSERT_TRUE(apply_settings(settings, same)) << "its default is not allowed";
    EXPECT_EQ(value_text(settings, setting), before);
    EXPECT_FALSE(setting.about.empty());
    EXPECT_EQ(find_setting(setting.name), &setting);
  }
}

TEST(SettingsTest, values_of_each_kind_are_taken) {
  Settings settings;
  const std::vector<std::string> assignments = {"sybils=7", "drop=0.25", "encode=true", "profile=light"};
  ASSERT_TRUE(apply_settings(settings, assignments));
  EXPECT_EQ(settings.sybils, 7U);
  EXPECT_EQ(settings.drop, 0.25);
  EXPECT_TRUE(settings.encode);
  EXPECT_EQ(settings.profile, Profile::light);
}

TEST(SettingsTest, what_is_wrong_is_named_with_what_may_be_written) {
  EXPECT_EQ(refusal_of({"sybil=7"}), "--set sybil: there is no such setting. Did you mean sybils?");
  EXPECT_EQ(refusal_of({"xyzzy=7"}), "--set xyzzy: there is no such setting. opp2p sim run --help lists the settings.");
  EXPECT_EQ(refusal_of({"drop"}), "--set drop: the value is missing; write for example --set drop=1");
  EXPECT_EQ(refusal_of({"drop=2"}),
            "--set drop=2: write a number from 0 to 1 (share of the blocks that a sybil does not forward)");
  EXPECT_EQ(refusal_of({"sybils=many"}), "--set sybils=many: write a whole number from 0 to 20000 (hostile members)");
  EXPECT_EQ(refusal_of({"sybils=-1"}), "--set sybils=-1: write a whole number from 0 to 20000 (hostile members)");
  EXPECT_EQ(refusal_of({"sybils=1e3"}), "--set sybils=1e3: write a whole number from 0 to 20000 (hostile members)");
  EXPECT_EQ(refusal_of({"encode=yes"}), "--set encode=yes: write true or false");
  EXPECT_EQ(refusal_of({"profile=strict"}),
            "--set profile=strict: there is no such profile; write none, light, opp2p or scored");
  for (const auto* text : {"drop=nan", "drop=", "drop=0.5x", "drop=-0.1", "=", ""}) {
    EXPECT_NE(refusal_of({text}), "") << text;
  }
}

TEST(SettingsTest, one_that_is_wrong_leaves_all_as_they_were) {
  Settings settings;
  const std::vector<std::string> assignments = {"sybils=7", "drop=2"};
  EXPECT_FALSE(apply_settings(settings, assignments));
  EXPECT_EQ(settings.sybils, Settings().sybils);
}

TEST(SettingsTest, settings_that_contradict_each_other_are_refused) {
  const auto refused = [](auto change) {
    Settings settings;
    change(settings);
    const auto done = validate(settings);
    return done ? std::string() : done.error().text();
  };
  EXPECT_EQ(refused([](Settings&) {}), "");
  EXPECT_NE(refused([](Settings& s) { s.attack_end = s.attack_start; }).find("attack-end"), std::string::npos);
  EXPECT_NE(refused([](Settings& s) { s.minutes = 1; }).find("--minutes 2.5"), std::string::npos);
  for (const double minutes : {std::nan(""), HUGE_VAL, 0.0, -1.0})
    EXPECT_NE(refused([minutes](Settings& s) { s.minutes = minutes; }).find("--minutes a number"), std::string::npos);
  EXPECT_NE(refused([](Settings& s) { s.publishers = s.nodes; }).find("publishers"), std::string::npos);
  EXPECT_NE(refused([](Settings& s) { s.honest_arrival = s.attack_end; }).find("honest-arrival"), std::string::npos);
  EXPECT_NE(refused([](Settings& s) { s.sentries = true, s.publishers = 2; }).find("sentries"), std::string::npos);
}

TEST(CatalogueTest, every_attack_has_a_name_of_its_own_a_line_and_settings_that_are_allowed) {
  std::set<std::string_view> names;
  for (const auto& scenario : all_scenarios()) {
    SCOPED_TRACE(scenario.name);
    EXPECT_TRUE(names.insert(scenario.name).second);
    EXPECT_FALSE(scenario.about.empty());
    EXPECT_EQ(find_scenario(scenario.name), &scenario);
    for (const double minutes : {0.5, 3.0}) {
      for (const std::uint64_t nodes : {20U, 1000U}) {
        const auto settings = defaults_of(scenario, nodes, minutes);
        const auto valid = validate(settings);
        EXPECT_TRUE(valid) << valid.error().message();
        EXPECT_FALSE(scenario.behaviours(settings).empty());
        EXPECT_EQ(settings.nodes, nodes);
      }
    }
  }
  EXPECT_EQ(find_scenario("eclipse"), nullptr);
  EXPECT_EQ(nearest_scenario("eclipse-on"), "eclipse-one");
}

}  // namespace
}  // namespace opp2p::sim::attacks
