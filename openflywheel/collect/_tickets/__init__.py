"""Support tickets: one shape for all systems, and each system's own.

ticket      a ticket, and the Record that it becomes
zendesk     the incremental export API and the export files of Zendesk
freshdesk   the ticket API and the export files of Freshdesk
"""
