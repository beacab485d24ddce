"""One record of several that share an identifier is deleted alone."""

from threading import Lock


def delete_records_one_by_one() -> None:
    """
    moto deletes every record of the zone that has the identifier of the one to be deleted. Route 53 identifies a record
    by its name, type and identifier (ResourceRecordSet, Amazon Route 53 API Reference).
    """
    from moto.route53.models import Route53Backend

    change_record_sets = Route53Backend.change_resource_record_sets
    # Stacks that are deployed at the same time change the same zone.
    lock = Lock()

    def change_resource_record_sets(self, zoneid, change_list):
        records = [change["ResourceRecordSet"] for change in change_list if change["Action"] == "DELETE"]
        to_delete = iter([record for record in records if "SetIdentifier" in record])
        zone = self.get_hosted_zone(zoneid)

        def delete_next(identifier):
            record = next(to_delete)
            gone = (record["Name"], record["Type"], identifier)
            zone.rrsets = [each for each in zone.rrsets if (each.name, each.type_, each.set_identifier) != gone]

        with lock:
            zone.delete_rrset_by_id = delete_next
            try:
                return change_record_sets(self, zoneid, change_list)
            finally:
                del zone.delete_rrset_by_id

    Route53Backend.change_resource_record_sets = change_resource_record_sets
