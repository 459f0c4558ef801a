using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Crm.Host.Tests.Import;

/// <summary>The way back from an import (D-09).</summary>
public sealed class UndoImportTests() : ImportingTests(
        """
        {"change":"create_entity","name":"x_group","label":"Group","plural":"Groups","set":"x_groups","fields":[{"name":"name","type":"text","label":"Name","required":true,"unique":true}]},
        {"change":"create_entity","name":"x_thing","label":"Thing","plural":"Things","set":"x_things","fields":[
          {"name":"name","type":"text","label":"Name","required":true,"unique":true},{"name":"size","type":"integer","label":"Size"},
          {"name":"group","type":"lookup","label":"Group","target":"x_group"},{"name":"above","type":"lookup","label":"Above","target":"x_thing"}]}
        """)
{
    [Fact]
    public async Task D_09_An_import_is_taken_back_with_its_updates_and_what_changed_since_is_left_and_named()
    {
        await Client.ImportAsync("x_thing", "name,size\nOld 1,1\nOld 2,2\nOld 3,3\n");
        // Rows that point to later ones, a row that repeats another, and a group nobody knows.
        const string Mapping = """{"fields":{"name":{"column":"name"},"size":{"column":"size"},"group":{"column":"group","unknown":"create"},"above":{"column":"above"}}}""";
        var job = await Client.ImportAsync(
            "x_thing",
            "name,size,group,above\nNew 1,10,Red,New 2\nNew 2,20,Red,\nNew 3,30,Red,\nOld 1,100,Red,\nOld 2,200,,\nOld 3,3,,\nNew 2,21,,\n",
            ("mode", "upsert"), ("match", "name"), ("mapping", Mapping));
        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal(6, await Client.CountAsync("x_things"));
        var changed = Assert.Single(await Client.RecordsAsync("x_things", "$filter=name eq 'Old 2'"));
        using var patch = await Client.Http.PatchAsJsonAsync($"odata/v4/x_things({changed.GetProperty("id").GetGuid()})", new { size = 999 });
        var kept = Assert.Single(await Client.RecordsAsync("x_things", "$filter=name eq 'New 3'"));
        using var keep = await Client.Http.PatchAsJsonAsync($"odata/v4/x_things({kept.GetProperty("id").GetGuid()})", new { size = 31 });
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (patch.StatusCode, keep.StatusCode));

        var undo = await UndoAsync(job.GetProperty("id").GetGuid());

        // Two new ones gone, one given back what it held; two were changed since, and the group is still needed by one of those.
        Assert.Equal(["New 3:31", "Old 1:1", "Old 2:999", "Old 3:3"], (await Client.RecordsAsync("x_things", "$orderby=name")).Select(r => $"{r.GetProperty("name")}:{r.GetProperty("size")}"));
        Assert.Equal(JsonValueKind.Null, Assert.Single(await Client.RecordsAsync("x_things", "$filter=name eq 'Old 1'")).GetProperty("group_id").ValueKind);
        Assert.Equal(1, await Client.CountAsync("x_groups"));
        var report = undo.GetProperty("report");
        Assert.Equal((6, 3, 3), (report.GetProperty("read").GetInt32(), report.GetProperty("changed").GetInt32(), report.GetProperty("refused").GetInt32()));
        var left = (await Client.GetAsync($"api/jobs/{undo.GetProperty("id").GetGuid()}/verdicts?only=errors")).GetProperty("value").EnumerateArray()
            .ToDictionary(v => v.GetProperty("record_id").GetGuid(), v => v.GetProperty("issues")[0].GetProperty("code").GetString());
        Assert.Equal("conflict", left[changed.GetProperty("id").GetGuid()]);
        Assert.Equal("conflict", left[kept.GetProperty("id").GetGuid()]);
        Assert.Contains("in_use", left.Values);

        // Once only; and an undo of an import is the end of it.
        using var again = await Client.Http.PostAsync(new Uri($"api/jobs/{job.GetProperty("id").GetGuid()}/undo", UriKind.Relative), null);
        using var redo = await Client.Http.PostAsync(new Uri($"api/jobs/{undo.GetProperty("id").GetGuid()}/undo", UriKind.Relative), null);
        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Conflict), (again.StatusCode, redo.StatusCode));
        var jobs = (await Client.GetAsync("api/jobs?kind=import")).GetProperty("value").EnumerateArray().Select(j => j.GetProperty("id").GetGuid()).ToList();
        Assert.Equal((2, job.GetProperty("id").GetGuid()), (jobs.Count, jobs[0]));
    }

    [Fact]
    public async Task An_import_that_made_nothing_has_no_way_back()
    {
        var job = await Client.ImportAsync("x_thing", "name,size\nOne,1\n", ("dryRun", "true"));
        using var answer = await Client.Http.PostAsync(new Uri($"api/jobs/{job.GetProperty("id").GetGuid()}/undo", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
    }

    private async Task<JsonElement> UndoAsync(Guid job)
    {
        using var answer = await Client.Http.PostAsync(new Uri($"api/jobs/{job}/undo", UriKind.Relative), null);
        var body = await ImportClient.BodyAsync(answer);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body.ToString());
        return await Client.FinishedAsync(body.GetProperty("id").GetGuid());
    }
}
