using Crm.Host.Security;

namespace Crm.Host.Tests.Security;

public sealed class PasswordRulesTests
{
    [Theory]
    [InlineData("short")]
    [InlineData("elevenchars")]
    [InlineData("123456789012")]
    [InlineData("987654321098")]
    [InlineData("aaaaaaaaaaaa")]
    [InlineData("abababababab")]
    [InlineData("password1234")]
    [InlineData("P@ssw0rd!2026")]
    [InlineData("passwordpassword")]
    [InlineData("letmeinletmein")]
    [InlineData("qwertyuiop12")]
    [InlineData("Correct Horse Battery Staple")]
    [InlineData("anna.schmidt.crm")]
    [InlineData("!!!!!!!!!!!!!")]
    public void What_is_tried_first_is_refused(string password) => Assert.NotNull(PasswordRules.Refuses(password, "anna.schmidt"));

    [Theory]
    [InlineData("lighthouse copper violin")]
    [InlineData("kf8#Lq0vZr2!x")]
    [InlineData("Ein Bär ißt Honig")]
    [InlineData("пароль из трёх слов")]
    public void Long_and_unlikely_ones_are_accepted(string password) => Assert.Null(PasswordRules.Refuses(password, "anna.schmidt"));

    [Fact]
    public void A_password_of_a_megabyte_is_refused() => Assert.NotNull(PasswordRules.Refuses(new string('x', 1_000_000), "anna"));
}
